/** The live view's page: noVNC for the picture, and JSON beside it on the same WebSocket for everything else. */
import RFB from '../novnc/core/rfb.js';

const PROTOCOL = 'lba.live.v1';
/** How long a notice stands, in milliseconds. */
const NOTICE_MS = 8_000;

const element = (id) => document.getElementById(id);
const runId = decodeURIComponent(location.pathname.split('/').at(-1));
const given = new URLSearchParams(location.hash.slice(1));
const ticket = given.get('ticket');
// In a frame of the app, which has the headings already and may look otherwise than the system does.
const look = ['embed', 'theme']
  .flatMap((key) => (given.has(key) ? [`&${key}=${given.get(key)}`] : []))
  .join('');
document.body.toggleAttribute('data-embedded', given.has('embed'));
if (['light', 'dark'].includes(given.get('theme')))
  document.documentElement.style.colorScheme = given.get('theme');
// Used up with the first connection: it need not stay in the history.
history.replaceState(null, '', location.pathname);

/**
 * What noVNC takes for a WebSocket: binary messages are its own, texts are ours.
 */
class Channel {
  // Set by noVNC.
  onopen = () => {};
  onmessage = () => {};
  onerror = () => {};
  onclose = () => {};
  binaryType = 'arraybuffer';

  constructor(url, protocols, { heard, ended }) {
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = 'arraybuffer';
    this.socket.addEventListener('open', (event) => this.onopen(event));
    this.socket.addEventListener('error', (event) => this.onerror(event));
    this.socket.addEventListener('message', (event) => {
      if (typeof event.data === 'string') heard(JSON.parse(event.data));
      else this.onmessage(event);
    });
    this.socket.addEventListener('close', (event) => {
      ended(event);
      this.onclose(event);
    });
  }
  get readyState() {
    return this.socket.readyState;
  }
  get protocol() {
    return this.socket.protocol;
  }
  send(data) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data);
  }
  close(...why) {
    this.socket.close(...why);
  }
  ask(message) {
    this.send(JSON.stringify(message));
  }
}

let state = null;
let channel = null;
let rfb = null;

function start() {
  if (!ticket) {
    over(
      'No ticket',
      'Open the live view from the app, or ask the API for a ticket. A ticket opens it once.',
    );
    return;
  }
  const url = new URL(`/api/v1/runs/${encodeURIComponent(runId)}/live`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  channel = new Channel(url.href, [PROTOCOL, `ticket.${ticket}`], { heard: onMessage, ended: onEnded });
  rfb = new RFB(element('screen'), channel, { shared: true });
  rfb.viewOnly = true;
  rfb.scaleViewport = true;
  rfb.focusOnClick = true;
  rfb.background = 'transparent';
  // For tests, and for whoever embeds this page.
  globalThis.liveView = { rfb, channel };
}

function onMessage(message) {
  if (message.type === 'state') show(message);
  else if (message.type === 'notice') notice(message.words);
  // So that loading this page again works, and a lost connection can be made anew.
  else if (message.type === 'ticket') history.replaceState(null, '', `#ticket=${message.ticket}${look}`);
  else if (message.type === 'clipboard') navigator.clipboard?.writeText(message.text).catch(() => {});
}

const WORDS = {
  running: 'The run is going on.',
  pausing: 'Its last action still goes on; then it stands still.',
  paused: 'The run is paused.',
  waiting: 'The run waits for a person.',
  'taken over': 'The run stands still: a person acts in the page.',
};

function show(next) {
  const before = state;
  state = next;
  document.body.dataset.run = standOf(next);
  document.body.dataset.input = next.input;
  document.title = `${next.script} · Live view`;
  element('script').textContent = next.script;
  element('status').textContent = statusOf(next);
  const isMine = next.input === 'yours' || next.input === 'taking';
  element('steering').hidden = next.role !== 'operator';
  element('take').textContent = isMine ? 'Give back' : 'Take over';
  element('take').disabled = next.input === 'other';
  const isHeld = next.run === 'paused' || next.run === 'pausing' || next.waiting !== null;
  element('pause').textContent = isHeld ? 'Resume' : 'Pause';
  element('pause').disabled = isMine || next.run === 'taken over';
  element('step').disabled = next.run !== 'paused';
  element('asked').hidden = next.waiting === null;
  element('asked').textContent = next.waiting === null ? '' : `The run asks you: ${next.waiting}`;
  showPages(next.pages);
  if (rfb) rfb.viewOnly = next.input !== 'yours';
  if (next.input === 'yours' && before?.input !== 'yours') rfb?.focus();
}

/** One of {@link WORDS}. */
function standOf({ run, waiting }) {
  return run === 'running' && waiting !== null ? 'waiting' : run;
}

function statusOf(next) {
  const { input, role, viewers } = next;
  const others = viewers > 1 ? ` ${viewers} people watch.` : '';
  if (input === 'yours')
    return `You have mouse and keyboard. The run waits until you give them back.${others}`;
  if (input === 'taking') return `Taking over as soon as the present action is done…`;
  if (input === 'other') return `Somebody else has mouse and keyboard.${others}`;
  return `${WORDS[standOf(next)]}${role === 'viewer' ? ' You watch.' : ''}${others}`;
}

function showPages(pages) {
  const nav = element('pages');
  nav.hidden = pages.length < 2;
  const focused = document.activeElement?.dataset?.page;
  nav.replaceChildren(
    ...pages.map((page) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.page = page.id;
      button.textContent = `${page.isActing ? '▸ ' : ''}${page.address}`;
      button.title = page.isActing ? `${page.address} (the run acts here)` : page.address;
      button.setAttribute('aria-pressed', String(page.isViewed));
      button.addEventListener('click', () => {
        channel.ask({ type: 'look_at', page: page.isActing ? null : page.id });
      });
      return button;
    }),
  );
  if (focused) nav.querySelector(`[data-page="${CSS.escape(focused)}"]`)?.focus();
}

let noticeTimer;
function notice(words) {
  element('notice').textContent = words;
  element('notice').hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => {
    element('notice').hidden = true;
  }, NOTICE_MS);
}

const TITLES = {
  4401: 'You cannot come in',
  4403: 'Not with this ticket',
  4408: 'Too slow',
  4410: 'The run has ended',
  4429: 'Full house',
  4504: 'Nothing to see yet',
  1001: 'The agent has ended',
};

function onEnded({ code, reason }) {
  const lost = code === 1006 || code === 1000;
  element('again').hidden = !location.hash || ![1000, 1006, 4408, 4504].includes(code);
  over(
    TITLES[code] ?? (lost ? 'The connection was lost' : 'The live view has ended'),
    reason ||
      (lost
        ? 'The agent does not answer. Connect again, or open the live view anew.'
        : `The connection was closed (${code}).`),
  );
}

function over(title, words) {
  document.body.dataset.run = 'over';
  document.body.dataset.input = '';
  element('over-title').textContent = title;
  element('over-words').textContent = words;
  element('over').hidden = false;
  element('screen').hidden = true;
  for (const id of ['steering', 'pages', 'asked', 'notice']) element(id).hidden = true;
  element('status').textContent = '';
}

element('take').addEventListener('click', () => {
  const isMine = state.input === 'yours' || state.input === 'taking';
  channel.ask({ type: isMine ? 'release' : 'take' });
});
element('again').addEventListener('click', () => location.reload());
element('pause').addEventListener('click', () => {
  channel.ask({ type: element('pause').textContent === 'Resume' ? 'resume' : 'pause' });
});
element('step').addEventListener('click', () => channel.ask({ type: 'step' }));
element('cancel').addEventListener('click', () => element('confirm').showModal());
element('confirm').addEventListener('close', () => {
  if (element('confirm').returnValue === 'yes') channel.ask({ type: 'cancel' });
  element('confirm').returnValue = '';
});
// What the person has copied elsewhere is there when they press Ctrl+V in the page.
globalThis.addEventListener('paste', (event) => {
  const text = event.clipboardData?.getData('text/plain');
  if (text && state?.input === 'yours') channel.ask({ type: 'clipboard', text: text.slice(0, 65_536) });
});
globalThis.addEventListener('focus', () => {
  if (state?.input !== 'yours' || !navigator.clipboard) return;
  // Asks the person once; where it is refused, pasting into this page still works.
  navigator.clipboard.readText().then(
    (text) => channel.ask({ type: 'clipboard', text: text.slice(0, 65_536) }),
    () => undefined,
  );
});

start();
