// timeseries: Grafana's own TimeSeries; annotations are drawn here, as its plugin for them is not on npm.
import { useEffect, useRef } from 'react';

import { TimeSeries, useTheme2 } from '@grafana/ui';
import { Empty, overTime, register } from './shell.jsx';

const marked = new WeakSet(); // builders that have our hook already: there is one for each change of the lines

function Lines(props) {
  const theme = useTheme2();
  const { data, width, height, options, fieldConfig, timeZone, timeRange, title } = props;
  const [marks, drawn] = [useRef([]), useRef(null)];
  useEffect(() => { // marks may be told after the lines
    marks.current = data.annotations ?? [];
    drawn.current?.redraw(false);
  }, [data.annotations]);
  const frames = data.series.filter((frame) => overTime({ series: [frame] }, ['number']).length > 0 && frame.length > 0);
  if (frames.length === 0) {
    return <Empty title={title} fieldConfig={fieldConfig} />;
  }
  const legend = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [], ...options.legend };
  const mark = (builder) => {
    if (!marked.has(builder)) {
      marked.add(builder);
      builder.addHook('draw', (plot) => {
        drawn.current = plot;
        annotate(plot, marks.current, theme);
      });
    }
    return null;
  };
  return (
    <TimeSeries
      frames={frames} structureRev={data.structureRev} timeRange={timeRange} timeZone={timeZone} width={width}
      height={height} legend={legend} options={options}
    >
      {mark}
    </TimeSeries>
  );
}

function annotate(plot, frames, theme) {
  const { ctx, bbox } = plot;
  const within = (x) => Math.min(Math.max(x, bbox.left), bbox.left + bbox.width);
  ctx.save();
  for (const frame of frames) {
    const values = (name) => frame.fields.find((field) => field.name === name)?.values ?? [];
    values('time').forEach((from, row) => {
      const to = values('timeEnd')[row];
      const [left, right] = [from, to ?? from].map((at) => within(plot.valToPos(at, 'x', true)));
      const color = theme.visualization.getColorByName(values('color')[row] ?? 'blue');
      ctx.fillStyle = ctx.strokeStyle = color;
      ctx.globalAlpha = 0.15;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 1;
      ctx.setLineDash([4, 4]);
      ctx.strokeRect(left, bbox.top, 0, bbox.height);
      ctx.fillRect(left - 3, bbox.top + bbox.height, Math.max(6, right - left), 5);
    });
  }
  ctx.restore();
}

export function registerLines() {
  const custom = {
    drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none',
    barAlignment: 0, barWidthFactor: 0.6, barMaxWidth: undefined, fillBelowTo: undefined, lineStyle: undefined,
    spanNulls: false, insertNulls: false, showPoints: 'auto', pointSize: 5, stacking: { mode: 'none', group: 'A' },
    transform: undefined, axisPlacement: 'auto', axisLabel: '', axisWidth: undefined, axisSoftMin: undefined,
    axisSoftMax: undefined, axisGridShow: true, axisColorMode: 'text', axisCenteredZero: false, axisBorderShow: false,
    scaleDistribution: { type: 'linear' }, hideFrom: { legend: false, tooltip: false, viz: false },
    thresholdsStyle: { mode: 'off' }, lineColor: undefined, fillColor: undefined,
  };
  register('timeseries', Lines, custom, { mode: 'palette-classic' });
}
