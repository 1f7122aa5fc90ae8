'use strict';
// The portal's behaviour; each part does nothing on pages that lack its elements.
const byId = (id) => document.getElementById(id);
const say = (testId, text) => {
  document.querySelector(`[data-testid="${testId}"]`).textContent = text;
};

// Search: results come late, by fetch. ?delay= of the page is passed on.
const results = byId('search-results');
if (results) {
  let latest = 0;
  const search = async (query) => {
    const turn = (latest += 1);
    results.hidden = true;
    const status = byId('search-status');
    status.innerHTML = '<span class="spinner"></span> Searching…';
    const delay = new URLSearchParams(location.search).get('delay');
    const answer = await fetch(`/api/search?q=${encodeURIComponent(query)}${delay === null ? '' : `&delay=${delay}`}`);
    const { total, orders } = await answer.json();
    if (turn !== latest) return;
    status.textContent = total === 1 ? '1 order found' : `${total} orders found`;
    const cell = (text, name) => Object.assign(document.createElement('td'), { textContent: text, className: name ?? '' });
    results.tBodies[0].replaceChildren(
      ...orders.map((order) => {
        const row = document.createElement('tr');
        const link = Object.assign(document.createElement('a'), { href: `/orders/${order.id}`, textContent: order.id });
        const first = document.createElement('td');
        first.append(link);
        row.append(first, cell(order.customer), cell(order.item), cell(order.status), cell(order.amount, 'number'));
        return row;
      }),
    );
    results.hidden = total === 0;
  };
  byId('search-form').addEventListener('submit', (event) => {
    event.preventDefault();
    search(byId('q').value);
  });
  if (byId('q').value) search(byId('q').value);
}

// Forms: what was entered is shown, secrets only by their length.
const form = byId('all-fields');
if (form) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const data = Object.fromEntries(new FormData(form));
    for (const secret of ['pin', 'card']) data[secret] = `${data[secret].length} characters`;
    say('form-result', JSON.stringify(data));
  });
  byId('double').addEventListener('dblclick', () => say('mouse-result', 'Double-clicked'));
  byId('keys').addEventListener('keydown', (event) => {
    const held = ['ctrlKey', 'altKey', 'shiftKey', 'metaKey'].filter((name) => event[name]).map((name) => name.slice(0, -3));
    say('mouse-result', `Key: ${[...held, event.key].join('+')}`);
  });
}
for (const element of document.querySelectorAll('[data-reveal-after]')) {
  setTimeout(() => { element.hidden = false; }, Number(element.dataset.revealAfter));
}

// Dialogs.
byId('alert')?.addEventListener('click', () => {
  alert('Your session ends in five minutes.');
  say('dialog-result', 'Alert closed');
});
byId('confirm')?.addEventListener('click', () => {
  say('dialog-result', confirm('Delete the draft?') ? 'Draft deleted' : 'Draft kept');
});
byId('prompt')?.addEventListener('click', () => {
  const name = prompt('New name', 'Draft 1');
  say('dialog-result', name === null ? 'Not renamed' : `Renamed to ${name}`);
});

// Pop-up window: the choice comes back to the page that opened it.
byId('open-popup')?.addEventListener('click', () => window.open('/popup/window', 'supplier', 'width=520,height=320'));
window.addEventListener('message', (event) => {
  if (event.origin === location.origin && event.data?.supplier) say('popup-result', `Chosen: ${event.data.supplier}`);
});
for (const button of document.querySelectorAll('[data-supplier]')) {
  button.addEventListener('click', () => {
    window.opener?.postMessage({ supplier: button.dataset.supplier }, location.origin);
    window.close();
  });
}

// A custom element with shadow DOM, and one more within.
const CARD_STYLE = ':host{display:block;max-width:420px;padding:20px;border:1px solid #d5dfe8;border-radius:12px;background:#fff}input,button{font:inherit;padding:8px 12px;border-radius:8px;border:1px solid #9fb3c3}label{display:block;margin:12px 0 4px}';
customElements.define('star-row', class extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: 'open' });
    root.innerHTML = '<style>button{font-size:22px;border:0;background:none;cursor:pointer;color:#b9c6d1}button[aria-pressed=true]{color:#d1913a}</style>';
    for (let stars = 1; stars <= 5; stars += 1) {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: '★' });
      button.setAttribute('aria-label', `Rate ${stars} star${stars === 1 ? '' : 's'}`);
      button.addEventListener('click', () => {
        this.dataset.stars = String(stars);
        root.querySelectorAll('button').forEach((each, index) => each.setAttribute('aria-pressed', String(index < stars)));
      });
      root.append(button);
    }
  }
});
customElements.define('rating-card', class extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: 'open' });
    root.innerHTML = `<style>${CARD_STYLE}</style><star-row></star-row><label for="comment">Comment</label><input id="comment" data-testid="comment"> <button type="button" id="send" data-testid="send-rating">Send rating</button>`;
    root.getElementById('send').addEventListener('click', () => {
      const stars = root.querySelector('star-row').dataset.stars ?? '0';
      say('rating-result', `Thank you: ${stars} of 5, "${root.getElementById('comment').value}"`);
    });
  }
});
