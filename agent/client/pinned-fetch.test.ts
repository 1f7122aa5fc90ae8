import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openTestApi } from '../../test/fixtures/api.ts';
import { hasOpenssl, makeCertificate } from '../../test/fixtures/certificate.ts';
import { makeHome, removeHome } from '../../test/fixtures/home.ts';
import { answerOf, createClient } from './client.ts';
import { connect } from './connect.ts';
import { pinnedFetch } from './pinned-fetch.ts';

describe.skipIf(!hasOpenssl)('an agent that speaks TLS', () => {
  test("is trusted by the owner's programs for its certificate alone, whoever signed it", async () => {
    const folder = makeHome('pinned');
    const own = makeCertificate(folder, 'own');
    const other = makeCertificate(folder, 'other');
    const api = await openTestApi({
      variables: {
        LBA_API_HOST: '0.0.0.0',
        LBA_API_TLS_CERT_FILE: own.cert,
        LBA_API_TLS_KEY_FILE: own.key,
      },
    });
    try {
      api.api.announce();
      const client = connect({ home: api.home });
      expect(await answerOf(client.GET('/api/v1/version'))).toMatchObject({ name: 'local-browser-agent' });
      const body = { name: 'Portal' };
      expect(await answerOf(client.POST('/api/v1/profiles', { body }))).toMatchObject(body);
      const params = { path: { name: 'Portal' } };
      await answerOf(client.DELETE('/api/v1/profiles/{name}', { params }));

      const misled = createClient({
        url: api.api.url.replace('0.0.0.0', '127.0.0.1'),
        token: api.api.token,
        fetch: pinnedFetch(readFileSync(other.cert, 'utf8')),
      });
      await expect(answerOf(misled.GET('/api/v1/version'))).rejects.toMatchObject({
        errorName: 'BrowserAgent.Unreachable',
      });
    } finally {
      await api.close();
      removeHome(folder);
    }
  });
});
