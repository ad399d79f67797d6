import { assert, assertEquals } from "@std/assert";
import { breaker } from "@lastgood/breaker";
import { Site, URL_OF_PAGE } from "../stage/site.ts";
