/** The scripts of this machine: the library, a new one, and the editor of one. */
import { IconFileUnknown } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Route, Switch } from 'wouter';
import { EmptyState } from '../../ui/empty-state.tsx';
import { BackToScripts } from './back-to-scripts.tsx';
import { Library } from './library.tsx';
import { EditStored, EditNew } from './script-screens.tsx';

export default function Scripts(): ReactNode {
  return (
    <Switch>
      <Route path="/scripts" component={Library} />
      <Route path="/scripts/new">
        <EditNew />
      </Route>
      <Route path="/scripts/edit/:reference">
        {({ reference }) => {
          const name = decodeURIComponent(reference);
          // Another script is another editor, with a history of its own.
          return <EditStored key={name} reference={name} />;
        }}
      </Route>
      <Route>
        <EmptyState title="There is no such script" icon={IconFileUnknown}>
          <BackToScripts />
        </EmptyState>
      </Route>
    </Switch>
  );
}
