// Draws one board: /?board=zh/Halls/hall&theme=dark&var-hall=A&from=now-5m. `drawn()` says when nothing is awaited any more.
import { createTheme } from '@grafana/data';
import { config } from '@grafana/runtime';
import { sceneGraph } from '@grafana/scenes';
import { GlobalStyles, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { MemoryRouter } from 'react-router-dom';
import { registerLines } from './panels/lines.jsx';
import { registerNumbers } from './panels/numbers.jsx';
import { registerSpans } from './panels/spans.jsx';
import { registerTable } from './panels/table.jsx';
import { registerWords } from './panels/words.jsx';
import { sceneOf } from './scene.js';
import { installServices } from './services.js';
import { asking, installSources } from './source.js';
import './page.css';

const QUIET_MS = 1000; // so long nothing was asked: one answer (of a variable) is the next one's question
const WAIT_MS = 45000;

function Page({ board, scene }) {
  return (
    <div className="page">
      <header>
        <h1>{board.title}</h1>
        <p>{board.description}</p>
      </header>
      <scene.Component model={scene} />
    </div>
  );
}

async function start() {
  const asked = new URLSearchParams(location.search);
  const theme = createTheme({ colors: { mode: asked.get('theme') ?? 'dark' } });
  config.theme2 = theme;
  config.theme = theme.v1;
  config.bootData = { ...config.bootData, user: { ...config.bootData?.user, timezone: 'browser', language: 'zh-Hans' } };
  installServices();
  installSources();
  [registerLines, registerNumbers, registerSpans, registerTable, registerWords].forEach((each) => each());
  const board = await (await fetch(`/boards/${asked.get('board')}.json`)).json();
  const chosen = {};
  for (const [name, value] of asked) {
    if (name.startsWith('var-')) {
      chosen[name.slice(4)] = value;
    }
  }
  const scene = sceneOf(board, chosen, asked.get('from'), asked.get('to'));
  document.title = sceneGraph.interpolate(scene, board.title);
  createRoot(document.getElementById('root')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <MemoryRouter>
        <Page board={board} scene={scene} />
        <PortalContainer />
      </MemoryRouter>
    </ThemeContext.Provider>
  );
}

const started = start();

window.drawn = async () => {
  await started;
  const end = performance.now() + WAIT_MS;
  let [seen, since] = [-1, performance.now()];
  while (performance.now() < end) {
    if (asking.open > 0 || asking.answered !== seen) {
      [seen, since] = [asking.answered, performance.now()];
    }
    if (asking.answered > 0 && performance.now() - since > QUIET_MS) {
      break;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  const page = document.querySelector('.page');
  return {
    answered: asking.answered, open: asking.open, refused: asking.refused, text: document.body.innerText,
    height: page ? page.scrollHeight : 0,
    panels: [...document.querySelectorAll('[data-drawn]')].map((each) => each.dataset.drawn),
    empty: [...document.querySelectorAll('[data-empty]')].map((each) => each.dataset.empty),
  };
};
