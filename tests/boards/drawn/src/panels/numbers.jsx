// stat and bargauge: values reduced by Grafana's own code, drawn by its own components.
import { getDisplayValueAlignmentFactors, getFieldDisplayValues } from '@grafana/data';
import { BarGauge, BigValue, VizRepeater, useTheme2 } from '@grafana/ui';
import { isEmpty, register } from './shell.jsx';

function values(props, theme, sparkline) {
  return getFieldDisplayValues({
    fieldConfig: props.fieldConfig, reduceOptions: props.options.reduceOptions ?? { calcs: ['lastNotNull'] },
    replaceVariables: props.replaceVariables, theme, data: props.data.series, sparkline, timeZone: props.timeZone,
  });
}

function Repeated({ props, theme, sparkline = false, draw, ...more }) {
  return (
    <div data-empty={isEmpty(props.data) ? props.title : undefined} style={{ height: '100%' }}>
      <VizRepeater
        getValues={() => values(props, theme, sparkline)} getAlignmentFactors={getDisplayValueAlignmentFactors}
        renderValue={draw} width={props.width} height={props.height} source={props.data}
        renderCounter={props.renderCounter} orientation={props.options.orientation ?? 'auto'} {...more}
      />
    </div>
  );
}

function Stat(props) {
  const theme = useTheme2();
  const { options } = props;
  const sparkline = (options.graphMode ?? 'area') !== 'none';
  const draw = ({ value, alignmentFactors, width, height, count }) => (
    <BigValue
      value={value.display} sparkline={value.sparkline} count={count} width={width} height={height} theme={theme}
      colorMode={options.colorMode ?? 'value'} graphMode={options.graphMode ?? 'area'} text={options.text}
      justifyMode={options.justifyMode ?? 'auto'} textMode={options.textMode ?? 'auto'}
      alignmentFactors={alignmentFactors} disableWideLayout={!(options.wideLayout ?? true)}
    />
  );
  return <Repeated props={props} theme={theme} sparkline={sparkline} draw={draw} itemSpacing={3} autoGrid />;
}

function Bars(props) {
  const theme = useTheme2();
  const { options } = props;
  const draw = ({ value, alignmentFactors, width, height, orientation, count }) => (
    <BarGauge
      value={value.display} display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)} field={value.field}
      width={width} height={height} orientation={orientation} theme={theme} itemSpacing={8} lcdCellWidth={12}
      text={options.text} displayMode={options.displayMode ?? 'gradient'} alignmentFactors={alignmentFactors}
      showUnfilled={options.showUnfilled} valueDisplayMode={options.valueMode} namePlacement={options.namePlacement}
      isOverflow={count * height > props.height}
    />
  );
  return (
    <Repeated
      props={props} theme={theme} draw={draw} itemSpacing={10} minVizHeight={options.minVizHeight ?? 16}
      minVizWidth={options.minVizWidth ?? 8} maxVizHeight={options.maxVizHeight ?? 300}
    />
  );
}

export function registerNumbers() {
  register('stat', Stat);
  register('bargauge', Bars);
}
