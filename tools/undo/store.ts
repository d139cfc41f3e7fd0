/** placeholder while the image store is under way in another clone */
import { plainImages } from "../testing/images.ts";
import type { CallImages } from "./images.ts";
import { join } from "node:path";
export class ImageStore {
  constructor(readonly o: { folder: string; sys: unknown; audit: unknown }) {}
  ofCall(call: string): CallImages { let made: CallImages | null = null; const get = () => (made ??= plainImages(join(this.o.folder, call), call)); return { keepFile: (a,b)=>get().keepFile(a,b), keepBytes: (b)=>get().keepBytes(b), pathOf: (f)=>get().pathOf(f), read: (f)=>get().read(f), folderFor: (p)=>get().folderFor(p) }; }
  kept(_call: string): boolean { return true; }
  async tidy(): Promise<void> {}
}
