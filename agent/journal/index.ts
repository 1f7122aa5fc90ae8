export { EventJournal } from './journal.ts';
export { payloads, PRIORITIES, SOURCES, type Priority, type PublishedType } from './published.ts';
export { wireEvent, type WireEvent } from './wire.ts';
