/** Room for one more image. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { roomOn } from "../../src/services/diskRoom.ts";

test("with room nothing is said, without it how much there is; the engine is asked once", async () => {
  let asked = 0;
  const engine = {
    dataRoot: async () => {
      asked++;
      return tmpdir();
    },
  };
  await roomOn(engine, 0)();
  const check = roomOn(engine, 1e9);
  for (let n = 0; n < 2; n++)
    await expect(check()).rejects.toMatchObject({
      code: "engine_full",
      message: expect.stringMatching(/\d+ MB are free in .*, and 1000000000 are wanted/),
    });
  expect(asked).toBe(2);
});

test("a disk that cannot be seen from here has room", async () => {
  await roomOn({ dataRoot: async () => "/no/such/folder" }, 1e9)();
});
