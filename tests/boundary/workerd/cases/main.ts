import "./bodies.ts";
import "./codings.ts";
import "./hosting.ts";
import "./leaving.ts";
import "./members.ts";
import "./raw_urls.ts";
import "./uploads.ts";

export { CASES } from "../border.ts";
