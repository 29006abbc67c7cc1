// What all shells share. Grafana's panel plugins are not on npm; each shell hands the data to the component of @grafana/ui
// that the plugin of that name uses, or draws it itself where there is none.
import { PanelPlugin, identityOverrideProcessor } from '@grafana/data';
import { sceneUtils } from '@grafana/scenes';

const none = () => null;

// `custom`: options of a field that this panel knows, with their defaults (undefined: none).
// Who drew says so: a panel that no shell knows is a frame with nothing in it.
export function register(id, Component, custom = {}, color = { mode: 'thresholds' }) {
  const drawn = (props) => (
    <div data-drawn={props.title} className="drawn"><Component {...props} /></div>
  );
  const plugin = new PanelPlugin(drawn).useFieldConfig({
    standardOptions: { color: { defaultValue: color } },
    useCustomConfig: (builder) => {
      for (const [path, defaultValue] of Object.entries(custom)) {
        builder.addCustomEditor({
          id: path, path, name: path, defaultValue, editor: none, override: none, process: identityOverrideProcessor,
          shouldApply: () => true,
        });
      }
    },
  });
  sceneUtils.registerRuntimePanelPlugin({ pluginId: id, plugin });
}

// What Grafana shows where a query gave no rows; `data-empty` lets a test find it.
export function Empty({ title, fieldConfig }) {
  return (
    <div data-empty={title} className="empty">{fieldConfig?.defaults?.noValue ?? 'No data'}</div>
  );
}

export function isEmpty(data) {
  return !data.series.some((frame) => frame.length > 0 && frame.fields.length > 0);
}

// Fields that can be drawn over time: [time field, value field].
export function overTime(data, kinds) {
  return data.series.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === 'time');
    if (!time) {
      return [];
    }
    return frame.fields
      .filter((field) => field !== time && kinds.includes(field.type) && !field.config.custom?.hideFrom?.viz)
      .map((field) => [time, field, frame]);
  });
}
