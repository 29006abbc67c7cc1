// One bundle for the browser. @grafana/* come as CommonJS: mixed with their ES modules, some of what they import breaks.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/page.jsx'],
  bundle: true,
  outfile: 'dist/page.js',
  format: 'iife',
  platform: 'browser',
  target: 'chrome120',
  mainFields: ['browser', 'main', 'module'],
  alias: { stream: './src/nothing.js' }, // papaparse's, for node alone
  conditions: ['require', 'browser', 'default'],
  loader: { '.js': 'jsx', '.svg': 'dataurl', '.woff2': 'empty', '.woff': 'empty', '.ttf': 'empty' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  jsx: 'automatic',
  logLevel: 'error',
});
