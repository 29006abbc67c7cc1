// The data sources: variables are put in by Grafana's own code here, the rest is asked of the bridge.
import { createDataFrame } from '@grafana/data';
import { RuntimeDataSource, sceneGraph, sceneUtils } from '@grafana/scenes';

export const asking = { open: 0, answered: 0, refused: [] };

async function ask(target, range, interval) {
  asking.open += 1;
  try {
    const reply = await fetch('/query', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ target, from: range.from.valueOf(), to: range.to.valueOf(), interval }),
    });
    const told = await reply.json();
    if (told.error) {
      asking.refused.push(`${told.error}`);
      throw new Error(told.error);
    }
    return told.frames;
  } finally {
    asking.open -= 1;
    asking.answered += 1;
  }
}

// As Grafana's SQL data sources do: what may be several is quoted, one value only made harmless inside quotes.
function inSql(value, variable) {
  const quoted = (each) => `'${String(each).replaceAll("'", "''")}'`;
  if (typeof value === 'string' && !variable?.multi && !variable?.includeAll && !variable?.isMulti) {
    return value.replaceAll("'", "''");
  }
  return Array.isArray(value) ? value.map(quoted).join(',') : typeof value === 'string' ? quoted(value) : value;
}

class Source extends RuntimeDataSource {
  constructor(type, uid) {
    super(type, uid);
    this.interval = '5s'; // as provisioned: timeInterval
  }

  async query(request) {
    const scene = request.scopedVars?.__sceneObject?.value?.valueOf();
    const put = (text, format) => (scene ? sceneGraph.interpolate(scene, text, request.scopedVars, format) : text);
    const data = [];
    for (const target of request.targets.filter((each) => !each.hide)) {
      const filled = { ...target };
      if (target.expr) {
        const rate = Math.max(request.intervalMs / 1000 + 5, 20);
        filled.expr = put(target.expr.replaceAll('$__rate_interval', `${rate}s`));
      } else {
        filled.rawSql = put(target.rawSql, inSql);
      }
      for (const frame of await ask(filled, request.range, request.intervalMs)) {
        data.push(createDataFrame(frame));
      }
    }
    return { data };
  }

  // Options of a variable. SQL: one column is text and value, or __text and __value.
  async metricFindQuery(query, options) {
    if (this.type === 'prometheus') {
      const expr = typeof query === 'string' ? query : query.query;
      const [{ fields }] = await ask({ expr }, options.range, 60000);
      return fields[0].values.map((value) => ({ value, text: value }));
    }
    const scene = options.scopedVars?.__sceneObject?.value?.valueOf();
    const scoped = { ...options.scopedVars, __searchFilter: { text: '', value: `${options.searchFilter ?? ''}%` } };
    const text = typeof query === 'string' ? query : query.rawSql;
    const rawSql = scene ? sceneGraph.interpolate(scene, text, scoped, inSql) : text;
    const [frame] = await ask({ rawSql, datasource: { uid: this.uid }, format: 'table' }, options.range, 60000);
    const column = (name) => frame.fields.find((field) => field.name === name)?.values;
    const values = column('__value') ?? frame.fields[0]?.values ?? [];
    const texts = column('__text') ?? values;
    return values.map((value, place) => ({ value: String(value), text: String(texts[place]) }));
  }
}

export function installSources() {
  for (const [type, uid] of [
    ['prometheus', 'livemon-prometheus'],
    ['grafana-postgresql-datasource', 'livemon-postgres'],
    ['grafana-postgresql-datasource', 'livemon-postgres-hall'],
  ]) {
    sceneUtils.registerRuntimeDataSource({ dataSource: new Source(type, uid) });
  }
}
