import { render } from 'preact';
import { App } from './app';
import { start } from './theme';

start();
const root = document.getElementById('app');
if (root) render(<App />, root);
