import { renderTextPanelMarkdown } from '@grafana/data';
import { register } from './shell.jsx';

function Words({ options, replaceVariables }) {
  const html = renderTextPanelMarkdown(replaceVariables(options.content ?? '', {}, 'html'));
  return <div className="markdown-html words" dangerouslySetInnerHTML={{ __html: html }} />;
}

export function registerWords() {
  register('text', Words);
}
