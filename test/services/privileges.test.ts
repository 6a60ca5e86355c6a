/** Who may do what, as a table. */
import { describe, expect, test } from "vitest";
import { WireError } from "../../src/model/wireRequest.ts";
import { type Attempt, type Privilege, type PrivilegeOptions, permit } from "../../src/services/privileges.ts";

interface Case extends Partial<Attempt> {
  readonly enforce?: PrivilegeOptions["enforce"];
}

/** Account 5 may do everything, account 77 nothing; about account 13 the back end cannot say anything. */
async function tried({ enforce = "on", ...attempt }: Case) {
  const asked: [number, Privilege][] = [];
  const refused: string[] = [];
  const options: PrivilegeOptions = {
    enforce,
    check: async (account, privilege) => {
      asked.push([account, privilege]);
      if (account === 13) throw new Error("no such procedure");
      return account === 5;
    },
    onRefused: (who, what) => refused.push(`${who}: ${what}`),
  };
  const full: Attempt = {
    authid: undefined,
    privilege: "READ",
    what: "list containers",
    args: [],
    kwargs: {},
    ...attempt,
  };
  const said = await permit(full, options).then(
    () => "yes",
    (error: unknown) => (error instanceof WireError ? `${error.code}: ${error.message}` : `defect: ${error}`),
  );
  return { said, asked, refused };
}

const NO = "not_permitted: insufficient privileges to list containers";
const UNKNOWN = "not_verified: could not verify privileges: no such procedure";
const onBehalf = (value: unknown): Case => ({ authid: "system", kwargs: { requestor_account_key: value } });
const inArgs = (value: unknown): Case => ({ authid: "system", args: [{ requestor_account_key: value }] });

describe("for reading", () => {
  test.each<[string, Case, string, readonly number[]]>([
    ["the platform", { authid: "system" }, "yes", []],
    ["the platform for an account", onBehalf(5), "yes", [5]],
    ["the platform for an account in digits", onBehalf("5"), "yes", [5]],
    ["the platform for an account in its first argument", inArgs("5"), "yes", [5]],
    ["the platform for an account that may not", onBehalf(77), NO, [77]],
    ["the same in its first argument", inArgs(77), NO, [77]],
    ["keyword arguments before arguments", { ...inArgs(5), ...onBehalf(77), args: inArgs(5).args ?? [] }, NO, [77]],
    ["the platform for nonsense", onBehalf("abc"), NO, []],
    ["the platform for nonsense in its first argument", inArgs({}), NO, []],
    ["the platform for a negative number", onBehalf(-5), NO, []],
    ["the platform for half an account", onBehalf(1.5), NO, []],
    ["the platform for nobody in particular", onBehalf(null), "yes", []],
    ["the platform, when nobody can tell", onBehalf(13), UNKNOWN, [13]],
    ["an account that may", { authid: "5" }, "yes", [5]],
    ["an account that may not", { authid: "77" }, NO, [77]],
    ["an account, when nobody can tell", { authid: "13" }, UNKNOWN, [13]],
    ["an account that names another one", { authid: "77", kwargs: { requestor_account_key: 5 } }, NO, [77]],
    ["an app's credential", { authid: "app-33-prod-e1@11111111-2222" }, NO, []],
    ["a device", { authid: "2-31" }, NO, []],
    ["nobody", { authid: undefined }, NO, []],
    ["an empty name", { authid: "" }, NO, []],
    ["nearly the platform", { authid: "System" }, NO, []],
    ["too many digits", { authid: "1".repeat(16) }, NO, []],
  ])("%s", async (_, attempt, said, asked) => {
    const answer = await tried(attempt);
    expect(answer.said).toBe(said);
    expect(answer.asked).toEqual(asked.map((account) => [account, "READ"]));
    expect(answer.refused).toHaveLength(said === "yes" ? 0 : 1);
  });
});

describe("for changing what is wanted", () => {
  const develop = (attempt: Case) => tried({ privilege: "DEVELOP", what: "request app state", ...attempt });

  test.each([onBehalf(77), onBehalf("abc"), inArgs("abc"), { authid: "system" }])(
    "the platform may, whoever it names: %j",
    async (attempt) => {
      expect(await develop(attempt)).toEqual({ said: "yes", asked: [], refused: [] });
    },
  );

  test("an account is asked for, everybody else is refused", async () => {
    expect(await develop({ authid: "5" })).toMatchObject({ said: "yes", asked: [[5, "DEVELOP"]] });
    for (const authid of ["77", "2-31", "app-33-prod-e1@x", undefined])
      expect((await develop({ authid })).said).toBe("not_permitted: insufficient privileges to request app state");
  });
});

describe("enforce", () => {
  test.each(["77", "13", "2-31", undefined])("log lets %j through, and tells it", async (authid) => {
    const { said, refused } = await tried({ enforce: "log", authid });
    expect([said, refused]).toEqual(["yes", [`${authid ?? "nobody"}: list containers`]]);
  });

  test("off asks nobody and tells nothing", async () => {
    for (const authid of ["77", "13", "2-31", undefined])
      expect(await tried({ enforce: "off", authid })).toEqual({ said: "yes", asked: [], refused: [] });
  });
});
