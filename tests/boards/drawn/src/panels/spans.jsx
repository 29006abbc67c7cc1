// state-timeline and heatmap: there is no component of theirs on npm, so these two are drawn by us. Values, colours and
// names are Grafana's (value mappings, overrides); the drawing is not.
import { dateTimeFormat, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { Empty, isEmpty, overTime, register } from './shell.jsx';

const AXIS = 22;

function Frame({ props, names, children, left }) {
  const { width, height, timeRange, timeZone } = props;
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const inner = { left, width: width - left - 8, height: height - AXIS };
  const x = (at) => left + ((Math.min(Math.max(at, from), to) - from) / (to - from)) * inner.width;
  const row = inner.height / Math.max(1, names.length);
  const format = to - from > 36 * 3600e3 ? 'MM-DD' : 'HH:mm:ss';
  const theme = useTheme2();
  const steps = [0, 1, 2, 3, 4].map((step) => from + ((to - from) * (step + 0.5)) / 5);
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily} fontSize="12" fill={theme.colors.text.primary}>
      {names.map((name, place) => (
        <text key={name} x={left - 8} y={row * (place + 0.5) + 4} textAnchor="end">{name}</text>
      ))}
      {children({ x, row })}
      {steps.map((at) => (
        <text key={at} x={x(at)} y={height - 5} textAnchor="middle" fill={theme.colors.text.secondary}>
          {dateTimeFormat(at, { format, timeZone })}
        </text>
      ))}
    </svg>
  );
}

function wide(names) {
  return 24 + Math.max(0, ...names.map((name) => [...name].reduce((sum, one) => sum + (one > '⺀' ? 12 : 7), 0)));
}

function States(props) {
  const { data, timeRange, fieldConfig, title, options } = props;
  const found = overTime(data, ['number', 'string', 'boolean']);
  if (isEmpty(data) || found.length === 0) {
    return <Empty title={title} fieldConfig={fieldConfig} />;
  }
  const names = found.map(([, field, frame]) => getFieldDisplayName(field, frame, data.series));
  return (
    <Frame props={props} names={names} left={wide(names)}>
      {({ x, row }) => found.flatMap(([time, field], place) =>
        spans(time.values, field.values, timeRange.to.valueOf()).map(([from, to, value]) => {
          const shown = field.display(value);
          return (
            <rect
              key={`${place} ${from}`} x={x(from)} width={Math.max(1, x(to) - x(from))} height={row * (options.rowHeight ?? 0.9)}
              y={row * place + (row * (1 - (options.rowHeight ?? 0.9))) / 2} fill={shown.color} opacity="0.8"
            >
              <title>{shown.text}</title>
            </rect>
          );
        })
      )}
    </Frame>
  );
}

// Equal neighbours are one span; nothing is known between a null and the next value.
function spans(times, values, end) {
  const made = [];
  values.forEach((value, place) => {
    const last = made.at(-1);
    if (last && last[1] === undefined && last[2] !== value) {
      last[1] = times[place];
    }
    if (value !== null && value !== undefined && !(last && last[1] === undefined)) {
      made.push([times[place], undefined, value]);
    }
  });
  return made.map(([from, to, value]) => [from, to ?? end, value]);
}

function Heat(props) {
  const theme = useTheme2();
  const { data, fieldConfig, title } = props;
  const found = overTime(data, ['number']);
  if (isEmpty(data) || found.length === 0) {
    return <Empty title={title} fieldConfig={fieldConfig} />;
  }
  const names = found.map(([, field, frame]) => getFieldDisplayName(field, frame, data.series));
  const most = Math.max(...found.flatMap(([, field]) => field.values.map((value) => value ?? 0)), 1e-9);
  const color = theme.visualization.getColorByName('orange');
  return (
    <Frame props={props} names={[...names].reverse()} left={wide(names)}>
      {({ x, row }) => found.flatMap(([time, field], place) => {
        const gaps = time.values.slice(1).map((at, index) => at - time.values[index]);
        const step = Math.min(...gaps, props.timeRange.to.valueOf() - props.timeRange.from.valueOf());
        return field.values.map((value, index) => value !== null && (
          <rect
            key={`${place} ${index}`} x={x(time.values[index])} y={row * (names.length - 1 - place) + 1} height={Math.max(1, row - 2)}
            width={Math.max(1, x(time.values[index] + step) - x(time.values[index]) - 1)} fill={color}
            opacity={0.08 + (0.92 * value) / most}
          />
        ));
      })}
    </Frame>
  );
}

export function registerSpans() {
  register('state-timeline', States, { lineWidth: 0, fillOpacity: 70, spanNulls: false, hideFrom: undefined });
  register('heatmap', Heat, { hideFrom: undefined, scaleDistribution: undefined });
}
