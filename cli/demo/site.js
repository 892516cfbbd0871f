// What works on the demo site, and what does not. Buttons that are not named here do nothing, as their pages say.
'use strict';

const on = (selector, type, listener) => document.querySelector(selector)?.addEventListener(type, listener);

// Features.

on('#quick-add', 'pointerdown', ({ currentTarget: button }) => {
  const away = button.style.transform ? '' : 'translate(6rem, 2.5rem)';
  button.style.transform = away;
});

on('#export', 'click', () => {
  const board = { columns: [{ title: 'Today' }] };
  // A column without cards: nobody thought of that.
  board.columns.map((column) => column.cards.join(';'));
});

on('#sync', 'click', () => {
  Promise.reject(new Error('The calendar did not answer'));
});

on('#spelling', 'click', () => {
  console.warn('No dictionary for this language, using another');
  console.error('The dictionary could not be loaded: 404');
});

on('#vote', 'click', ({ currentTarget: button }) => {
  const votes = button.querySelector('output');
  votes.value = Number(votes.value) + 1;
});

// Pricing.

on('#period', 'click', ({ currentTarget: button }) => {
  const isYear = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', isYear);
  button.textContent = isYear ? 'by the year' : 'by the month';
  for (const price of document.querySelectorAll('[data-year]')) price.textContent = isYear ? price.dataset.year : price.dataset.month;
});

// Reports.

if (document.querySelector('#late')) {
  setTimeout(() => {
    document.querySelector('#late').innerHTML = '<div class="banner">New: reports by mail, every Monday at six.</div>';
  }, 1200);
}

on('#recount', 'click', () => {
  const until = performance.now() + 600;
  while (performance.now() < until);
  document.querySelector('#counted').value = `${60 + Math.floor(Math.random() * 40)} %`;
});

// Forms. What is typed goes nowhere.

on('#signup', 'submit', (event) => {
  event.preventDefault();
  const { team_size } = event.target.elements;
  window.identity?.identify?.(`account-${Math.floor(Math.random() * 1e6)}`);
  window.identity?.track?.('signed_up', { team_size: team_size.value });
  location.assign('/demo/welcome');
});

on('#contact', 'submit', (event) => {
  event.preventDefault();
  event.target.reset();
  event.target.querySelector('output').value = 'Thank you. We will answer within a day.';
});
