/** The demo portal's orders: the same on every machine, so that tests can name them. */
import { randomFrom } from './images.ts';

export interface Order {
  /** `SO-1001` … */
  id: string;
  customer: string;
  /** ISO date. */
  date: string;
  status: 'Open' | 'Shipped' | 'Delivered' | 'On hold';
  item: string;
  quantity: number;
  /** In cents. */
  amount: number;
}

export const ORDER_COUNT = 57;
export const ORDERS_PER_PAGE = 10;

const CUSTOMERS = [
  'Alder & Finch',
  'Brightwater Mills',
  'Copper Lane',
  'Dunmore Tools',
  'Elmwood Clinic',
  'Fairhaven School',
  'Greyfell Foods',
];
const ITEMS = ['Harbour lamp', 'Oak shelf', 'Brass hinge set', 'Canvas tarpaulin', 'Rope 20 m', 'Deck paint'];
const STATUSES = ['Open', 'Shipped', 'Delivered', 'On hold'] as const;

export const ORDERS: readonly Order[] = makeOrders();

function makeOrders(): Order[] {
  const random = randomFrom(7);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  return Array.from({ length: ORDER_COUNT }, (_unused, index) => {
    const quantity = 1 + Math.floor(random() * 12);
    return {
      id: `SO-${1001 + index}`,
      customer: pick(CUSTOMERS),
      date: new Date(Date.UTC(2026, 0, 5 + index * 3)).toISOString().slice(0, 10),
      status: pick(STATUSES),
      item: pick(ITEMS),
      quantity,
      amount: quantity * (900 + Math.floor(random() * 9000)),
    };
  });
}

export function money(cents: number): string {
  return `€ ${(cents / 100).toFixed(2)}`;
}

export function ordersCsv(orders: readonly Order[]): string {
  const rows = orders.map((order) =>
    [
      order.id,
      order.customer,
      order.date,
      order.status,
      order.item,
      order.quantity,
      (order.amount / 100).toFixed(2),
    ]
      .map((field) =>
        /[",\n]/.test(String(field)) ? `"${String(field).replaceAll('"', '""')}"` : String(field),
      )
      .join(','),
  );
  return ['order,customer,date,status,item,quantity,amount', ...rows, ''].join('\r\n');
}

export function searchOrders(query: string): Order[] {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [];
  return ORDERS.filter((order) =>
    [order.id, order.customer, order.item, order.status].some((field) =>
      field.toLowerCase().includes(wanted),
    ),
  );
}
