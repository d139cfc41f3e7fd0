/**
 * How grave the gravest line of a template was, as its place in `Severity` (contracts/event.ts), and its last burst (memory/templates/
 * rate.ts): when its last line came, and how many times the usual number of lines that minute had. Nothing is known of older lines.
 */
export const template_levels = `ALTER TABLE templates ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE templates ADD COLUMN burst_ms REAL NOT NULL DEFAULT 0;
   ALTER TABLE templates ADD COLUMN burst_times REAL NOT NULL DEFAULT 0;`;
