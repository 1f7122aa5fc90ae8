/**
 * Where a person is in the app: after the `#` of the address, `#/runs?q=invoices`. The router's own hash
 * location would put what follows the `?` before the `#`, where it stays when another screen is opened.
 */
import { useSyncExternalStore } from 'react';
import { useSearch, type BaseLocationHook } from 'wouter';

export function navigate(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const oldURL = window.location.href;
  const newURL = new URL(`#/${to.replace(/^#?\/?/, '')}`, oldURL).href;
  window.history[replace ? 'replaceState' : 'pushState'](null, '', newURL);
  window.dispatchEvent(new HashChangeEvent('hashchange', { oldURL, newURL }));
}

/** The router's `hook`. */
export const useHashLocation: BaseLocationHook = () => [useSyncExternalStore(subscribe, path), navigate];
useHashLocation.searchHook = function useHashSearch() {
  return useSyncExternalStore(subscribe, search);
};
useHashLocation.hrefs = (href: string) => `#${href}`;

/** What follows the `?`, and how to change it. A change replaces the entry of the history. */
export function useHashQuery(): [URLSearchParams, (change: Record<string, string | null>) => void] {
  const query = new URLSearchParams(useSearch());
  return [query, changeQuery];
}

function changeQuery(change: Record<string, string | null>): void {
  const next = new URLSearchParams(search());
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  navigate(text === '' ? path() : `${path()}?${text}`, { replace: true });
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange);
  window.addEventListener('popstate', onChange);
  return () => {
    window.removeEventListener('hashchange', onChange);
    window.removeEventListener('popstate', onChange);
  };
}

function path(): string {
  return `/${window.location.hash.replace(/^#?\/?/, '').split('?', 1)[0] ?? ''}`;
}

function search(): string {
  const { hash } = window.location;
  const mark = hash.indexOf('?');
  return mark < 0 ? '' : hash.slice(mark + 1);
}
