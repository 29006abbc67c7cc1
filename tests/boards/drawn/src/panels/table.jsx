import { cacheFieldDisplayNames } from '@grafana/data';
import { TableNG } from '@grafana/ui/unstable';
import { Empty, isEmpty, register } from './shell.jsx';

function Rows(props) {
  const { data, width, height, options, fieldConfig, replaceVariables, title } = props;
  if (isEmpty(data)) {
    return <Empty title={title} fieldConfig={fieldConfig} />;
  }
  cacheFieldDisplayNames(data.series); // as the plugin does: names of columns come from overrides
  return (
    <TableNG
      data={data.series[options.frameIndex ?? 0]} width={width} height={height} noHeader={options.showHeader === false}
      cellHeight={options.cellHeight} initialSortBy={options.sortBy} fieldConfig={fieldConfig} timeRange={data.timeRange}
      structureRev={data.structureRev} replaceVariables={replaceVariables} getActions={() => []} resizable
      showTypeIcons={false} enableSharedCrosshair={false} frozenColumns={options.frozenColumns?.left} transparent={false}
      timeZone={props.timeZone} footerOptions={options.footer} onSortByChange={() => {}} onColumnResize={() => {}}
      onCellFilterAdded={() => {}} enableVirtualization
    />
  );
}

export function registerTable() {
  register('table', Rows, {
    width: undefined, minWidth: undefined, align: 'auto', cellOptions: { type: 'auto' }, inspect: false,
    filterable: undefined, hidden: false, 'hideFrom.viz': false, wrapHeaderText: false, wrapText: undefined,
    footer: undefined,
  });
}
