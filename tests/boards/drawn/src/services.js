// What Grafana's application gives its libraries when it starts, as far as drawing a board needs it.
import {
  EventBusSrv, LoadingState, booleanOverrideProcessor, dataLinksOverrideProcessor, displayNameOverrideProcessor,
  identityOverrideProcessor, numberOverrideProcessor, standardEditorsRegistry, standardFieldConfigEditorRegistry,
  standardTransformers, standardTransformersRegistry, stringOverrideProcessor, thresholdsOverrideProcessor,
  unitOverrideProcessor, valueMappingsOverrideProcessor,
} from '@grafana/data';
import * as runtime from '@grafana/runtime';
import { catchError, from, map, of, startWith } from 'rxjs';

const none = () => null;
// The standard options of a field, by the names that a board's JSON has; who edits them is nobody here.
const STANDARD = {
  displayName: displayNameOverrideProcessor, unit: unitOverrideProcessor, min: numberOverrideProcessor,
  max: numberOverrideProcessor, decimals: numberOverrideProcessor, fieldMinMax: booleanOverrideProcessor,
  thresholds: thresholdsOverrideProcessor, mappings: valueMappingsOverrideProcessor,
  noValue: stringOverrideProcessor, links: dataLinksOverrideProcessor, actions: identityOverrideProcessor,
  color: identityOverrideProcessor, filterable: booleanOverrideProcessor, description: stringOverrideProcessor,
};
const NUMBERS_ONLY = new Set(['min', 'max', 'decimals', 'fieldMinMax']);
const EDITORS = [
  'boolean', 'color', 'dashboard-uid', 'field-name', 'multi-select', 'number', 'radio', 'select', 'slider', 'strings',
  'text', 'timezone', 'unit', 'stats-picker', 'fieldColor', 'thresholds', 'mappings', 'links', 'actions', 'cell-type',
];

export function installServices() {
  standardEditorsRegistry.setInit(() => EDITORS.map((id) => ({ id, name: id, editor: none })));
  standardFieldConfigEditorRegistry.setInit(() =>
    Object.entries(STANDARD).map(([id, process]) => ({
      id, path: id, name: id, editor: none, override: none, process, settings: {}, category: ['Standard'],
      shouldApply: (field) => !NUMBERS_ONLY.has(id) || field.type === 'number',
    }))
  );
  standardTransformersRegistry.setInit(() =>
    [...new Map(Object.values(standardTransformers).map((each) => [each.id, each])).values()].map((each) => ({
      id: each.id, name: each.name, transformation: () => Promise.resolve(each), editor: none, imageDark: '', imageLight: '',
    }))
  );
  runtime.setAppEvents?.(new EventBusSrv());
  runtime.setEchoSrv({ addEvent() {}, addBackend() {}, flush() {} });
  runtime.setTemplateSrv({
    getVariables: () => [], replace: (text) => text ?? '', containsTemplate: () => false, updateTimeRange() {},
  });
  runtime.setPluginImportUtils({
    importPanelPlugin: (id) => Promise.reject(new Error(`no shell for panels of type ${id}`)),
    getPanelPluginFromCache: () => undefined,
  });
  runtime.setDataSourceSrv({
    get: (ref) => Promise.reject(new Error(`no data source ${ref?.uid ?? ref}`)),
    getInstanceSettings: () => undefined, getList: () => [], reload() {}, registerRuntimeDataSource() {},
  });
  runtime.setRunRequest((source, request) =>
    from(source.query(request)).pipe(
      map((answer) => ({
        state: answer.error ? LoadingState.Error : LoadingState.Done,
        series: answer.data, error: answer.error, errors: answer.error ? [answer.error] : undefined,
        annotations: [], timeRange: request.range, request,
      })),
      catchError((error) => of({
        state: LoadingState.Error, series: [], error: { message: String(error?.message ?? error) },
        timeRange: request.range, request,
      })),
      startWith({ state: LoadingState.Loading, series: [], timeRange: request.range, request })
    )
  );
}
