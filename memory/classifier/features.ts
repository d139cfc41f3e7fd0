/**
 * What the classifier reads of a case, as numbers: the vector of its text, and which alarm and which subject it is, by a hash into
 * a few places each. Of unit length each, so that none outweighs the others.
 */

/** So many alarms and subjects are told apart; two that share a place share what is learned of it. */
const alarm_places = 32;
const subject_places = 32;

export interface Matter {
  readonly alarm: string;
  readonly subject: string;
  readonly vector: Float32Array;
}

export function featuresCount(dimensions: number): number {
  return 1 + alarm_places + subject_places + dimensions;
}

/** @returns `featuresCount` numbers; the first is 1, for what the rule is worth whatever the matter */
export function featuresOf({ alarm, subject, vector }: Matter): Float32Array {
  const features = new Float32Array(featuresCount(vector.length));
  features[0] = 1;
  features[1 + placeOf(alarm, alarm_places)] = 1;
  features[1 + alarm_places + placeOf(nameOf(subject), subject_places)] = 1;
  features.set(vector, 1 + alarm_places + subject_places);
  return features;
}

/** Numbers of processes and ports are never the same again. */
function nameOf(subject: string): string {
  return subject.replace(/\d+/g, "0");
}

/** FNV-1a (Fowler, Noll, Vo), 32 bits: the same on every machine and in every version. */
function placeOf(text: string, places: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % places;
}
