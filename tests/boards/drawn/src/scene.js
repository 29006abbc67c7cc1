// A board's JSON as a scene: its variables, its time, its panels on the grid.
import {
  EmbeddedScene, SceneDataLayerSet, dataLayers, QueryVariable, CustomVariable, ConstantVariable, SceneControlsSpacer, SceneDataTransformer,
  SceneGridItem, SceneGridLayout, SceneQueryRunner, SceneTimePicker, SceneTimeRange, SceneVariableSet, TextBoxVariable,
  VariableValueSelectors, VizPanel,
} from '@grafana/scenes';

// `chosen`: name of a variable -> value, as a link to the board would have it.
export function sceneOf(board, chosen, from, to) {
  const panels = board.panels.filter((panel) => panel.type !== 'row');
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({
      from: from ?? board.time.from, to: to ?? board.time.to, timeZone: board.timezone, weekStart: 'monday',
    }),
    $variables: new SceneVariableSet({
      variables: (board.templating?.list ?? []).map((each) => variable(each, chosen[each.name])).filter(Boolean),
    }),
    $data: new SceneDataLayerSet({
      layers: (board.annotations?.list ?? []).map((each) => new dataLayers.AnnotationsDataLayer({
        name: each.name, query: { ...each, target: { refId: each.name, ...each.target } }, isEnabled: each.enable, isHidden: each.hide,
      })),
    }),
    controls: [
      new VariableValueSelectors({}), new SceneControlsSpacer(), new SceneTimePicker({ isOnCanvas: true }),
    ],
    body: new SceneGridLayout({
      children: panels.map((panel) => new SceneGridItem({
        key: `item-${panel.id}`, x: panel.gridPos.x, y: panel.gridPos.y, width: panel.gridPos.w,
        height: panel.gridPos.h, isResizable: false, isDraggable: false, body: vizPanel(panel),
      })),
    }),
  });
}

function variable(told, chosen) {
  const shared = { name: told.name, label: told.label || told.name, hide: told.hide ?? 0 };
  const given = chosen === undefined ? {} : { value: chosen, text: chosen };
  if (told.type === 'query') {
    const all = told.current?.value === '$__all' || told.current?.value?.[0] === '$__all';
    return new QueryVariable({
      ...shared, datasource: told.datasource, query: told.query, refresh: told.refresh, sort: told.sort ?? 0,
      regex: told.regex ?? '', isMulti: told.multi ?? false, includeAll: told.includeAll ?? false,
      allValue: told.allValue || undefined, defaultToAll: all && chosen === undefined,
      value: told.multi ? [] : '', text: told.multi ? [] : '', ...given,
    });
  }
  if (told.type === 'textbox') {
    return new TextBoxVariable({ ...shared, value: chosen ?? (typeof told.query === 'string' ? told.query : '') });
  }
  if (told.type === 'custom') {
    const value = told.current?.value ?? '';
    return new CustomVariable({
      ...shared, query: told.query, isMulti: told.multi ?? false, includeAll: told.includeAll ?? false,
      allValue: told.allValue || undefined, value, text: told.current?.text ?? value, ...given,
    });
  }
  if (told.type === 'constant') {
    return new ConstantVariable({ ...shared, value: told.query });
  }
  throw new Error(`a variable of type ${told.type} cannot be drawn`);
}

function vizPanel(panel) {
  const queries = panel.targets ?? [];
  let data;
  if (queries.length > 0) {
    data = new SceneQueryRunner({
      datasource: panel.datasource, queries, maxDataPoints: panel.maxDataPoints ?? undefined,
      maxDataPointsFromWidth: true, minInterval: panel.interval ?? undefined,
    });
    data = new SceneDataTransformer({ $data: data, transformations: panel.transformations ?? [] });
  }
  return new VizPanel({
    key: `panel-${panel.id}`, pluginId: panel.type, title: panel.title, description: panel.description,
    options: panel.options ?? {}, fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    displayMode: panel.transparent ? 'transparent' : 'default', $data: data,
  });
}
