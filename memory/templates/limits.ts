/** Caps of the miner: whatever arrives, it uses no more than this. */

export const limits = {
  /** Characters of one line that are looked at; the rest is cut off and counted. */
  line_chars_max: 4096,
  /** Words of one line; what follows is one parameter of type `rest`. */
  words_max: 96,
  /** Words by which a line finds its leaf, after their number. */
  depth: 2,
  /** Different words at one node; further ones share the node of any word. */
  children_max: 100,
  /** Templates at one leaf; a further one takes the place of that which was not seen for longest. */
  leaf_templates_max: 64,
  /** Templates in memory; those not seen for longest are only in the database, and come back when a line fits. */
  tree_templates_max: 4096,
  /** Templates in the database. At the limit a line that fits none is counted with those of its length. */
  templates_max: 50_000,
  /** New templates that one source may bring at once, and again each minute. */
  new_burst: 1000,
  new_per_minute: 20,
  /** Looks into the database that lines of one source may cause at once and each minute, and rows of one look. */
  lookup_burst: 500,
  lookups_per_minute: 200,
  lookup_rows_max: 128,
  /** Sources that are told apart; further ones are counted together as `other`. */
  sources_max: 256,
  template_sources_max: 32,
  examples_max: 4,
  /** Characters of one parameter, in examples and answers. */
  value_chars_max: 256,
  /** Followers of one template that are counted. */
  followers_max: 24,
  /** How long after a line something counts as what happened next. */
  follow_ms: 60_000,
  /** Templates whose followers are watched at one time. */
  watched_max: 64,
  /** Hours that are kept apart; older ones are added up by day. */
  hours_max: 14 * 24,
} as const;

/** The name under which sources beyond the limit are counted. */
export const other_source = "other";
