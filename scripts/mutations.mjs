/** Small wrong changes of TypeScript source, as a tired programmer makes them. Tests that cannot tell one from the original miss something. */
import { parseAst } from "rolldown/parseAst";

/** @typedef {{ type: string, start: number, end: number, [key: string]: unknown }} Node */
/** @typedef {{ start: number, end: number, text: string }} Mutation Puts `text` in place of what stands from `start` to `end`. */

/** What an operator is mistaken for. */
const OPERATORS = /** @type {const} */ ({
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "&": "|",
  "|": "&",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "&&": "||",
  "||": "&&",
  "??": "&&",
  "+=": "-=",
  "-=": "+=",
  "&=": "|=",
  "|=": "&=",
});

/** @param {Node} node @param {string} source @returns {Mutation[]} */
function mutationsOf(node, source) {
  const text = source.slice(node.start, node.end);
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression": {
      const operator = /** @type {string} */ (node.operator);
      const other = Object.entries(OPERATORS).find(([name]) => name === operator)?.[1];
      if (other === undefined) return [];
      const left = /** @type {Node} */ (node.left);
      const start = source.indexOf(operator, left.end);
      return [{ start, end: start + operator.length, text: other }];
    }
    case "IfStatement":
    case "ConditionalExpression": {
      const { start, end } = /** @type {Node} */ (node.test);
      return [{ start, end, text: `!(${source.slice(start, end)})` }];
    }
    case "ExpressionStatement": {
      const { type } = /** @type {Node} */ (node.expression);
      const does = ["CallExpression", "AssignmentExpression", "UpdateExpression", "AwaitExpression"].includes(
        type,
      );
      return does ? [{ start: node.start, end: node.end, text: ";" }] : [];
    }
    case "Literal": {
      const { value } = node;
      if (typeof value === "boolean") return [{ start: node.start, end: node.end, text: String(!value) }];
      if (typeof value !== "number" && typeof value !== "bigint") return [];
      return [
        { start: node.start, end: node.end, text: `(${text} + 1${typeof value === "bigint" ? "n" : ""})` },
      ];
    }
    default:
      return [];
  }
}

/** Types, imports and the like, in which nothing happens. @param {Node} node */
const isInert = ({ type }) =>
  type.startsWith("TS") || type.startsWith("Import") || type === "ExportAllDeclaration";

/**
 * Every mutation of a TypeScript source, in its order.
 * @param {string} source
 * @returns {Mutation[]}
 */
export function mutations(source) {
  /** @type {Mutation[]} */
  const found = [];
  /** @param {unknown} value */
  const visit = (value) => {
    if (Array.isArray(value)) value.forEach(visit);
    if (value === null || typeof value !== "object" || !("type" in value)) return;
    const node = /** @type {Node} */ (value);
    if (isInert(node) && node.type !== "TSAsExpression" && node.type !== "TSNonNullExpression") return;
    found.push(...mutationsOf(node, source));
    for (const [key, child] of Object.entries(node)) if (key !== "typeAnnotation") visit(child);
  };
  visit(parseAst(source, { lang: "ts" }));
  return found.sort((a, b) => a.start - b.start);
}

/** The source with one mutation in it. @param {string} source @param {Mutation} mutation */
export const mutate = (source, { start, end, text }) => source.slice(0, start) + text + source.slice(end);
