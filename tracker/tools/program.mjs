// A minified script as a program whose functions can change places and whose variables can change names: neither changes
// what it does, but both how well it packs.

import { parse } from 'acorn';

/** Words of a letter or two that are no names. */
const WORDS = ['do', 'if', 'in', 'of', 'as', 'is'];

/** Finds each variable of a script and each of its own `properties`, with where it is written. */
const variablesOf = (tree, properties) => {
  const variables = [];
  const members = [];
  const mentions = [];
  const scopeIn = (above, isFunction) => ({ above, isFunction, variables: new Map() });

  const declare = (name, scope) => {
    if (scope.variables.has(name)) return;
    const variable = { name, scope, places: [], scopes: new Set([scope]) };
    scope.variables.set(name, variable);
    variables.push(variable);
  };
  /** Walks through a pattern of assignment; `into` is the scope that it declares names in, if it does. */
  const walkPattern = (node, scope, into) => {
    if (node?.type === 'Identifier') {
      if (into) declare(node.name, into);
      mentions.push({ node, scope });
    } else if (node?.type === 'ObjectPattern') {
      for (const part of node.properties) {
        if (part.computed) walk(part.key, scope);
        else if (part.key) members.push(part.key);
        walkPattern(part.type === 'RestElement' ? part.argument : part.value, scope, into);
      }
    } else if (node?.type === 'ArrayPattern') {
      for (const part of node.elements) walkPattern(part, scope, into);
    } else if (node?.type === 'AssignmentPattern') {
      walkPattern(node.left, scope, into);
      walk(node.right, scope);
    } else if (node?.type === 'RestElement') {
      walkPattern(node.argument, scope, into);
    } else {
      walk(node, scope);
    }
  };
  const walkChildren = (node, scope) => {
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (typeof child?.type === 'string') walk(child, scope);
    }
  };
  const walk = (node, scope) => {
    if (!node) return;
    switch (node.type) {
      case 'Identifier':
        mentions.push({ node, scope });
        break;
      case 'MemberExpression':
        walk(node.object, scope);
        if (node.computed) walk(node.property, scope);
        else members.push(node.property);
        break;
      case 'Property':
        if (node.computed) walk(node.key, scope);
        else members.push(node.key);
        walk(node.value, scope);
        break;
      case 'VariableDeclaration': {
        let into = scope;
        while (node.kind === 'var' && !into.isFunction) into = into.above;
        for (const { id, init } of node.declarations) {
          walkPattern(id, scope, into);
          walk(init, scope);
        }
        break;
      }
      case 'AssignmentExpression':
        walkPattern(node.left, scope);
        walk(node.right, scope);
        break;
      case 'ArrowFunctionExpression':
      case 'FunctionExpression': {
        const own = scopeIn(scope, true);
        for (const param of node.params) walkPattern(param, own, own);
        if (node.body.type === 'BlockStatement') walkChildren(node.body, own);
        else walk(node.body, own);
        break;
      }
      case 'CatchClause': {
        const own = scopeIn(scope);
        walkPattern(node.param, own, own);
        walkChildren(node.body, own);
        break;
      }
      case 'BlockStatement':
      case 'ForStatement':
      case 'ForOfStatement':
      case 'ForInStatement':
        walkChildren(node, scopeIn(scope));
        break;
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
      case 'ClassExpression':
      case 'LabeledStatement':
      case 'SwitchStatement':
        throw new Error(`No ${node.type} is understood here`);
      default:
        walkChildren(node, scope);
    }
  };
  walk(tree, scopeIn(undefined, true));

  const foreign = new Set(WORDS);
  for (const { node, scope } of mentions) {
    const passed = [];
    let at = scope;
    while (at && !at.variables.has(node.name)) {
      passed.push(at);
      at = at.above;
    }
    if (!at) {
      foreign.add(node.name);
      continue;
    }
    const variable = at.variables.get(node.name);
    for (const scope of passed) variable.scopes.add(scope);
    // `{ a }` is a name of a property and a variable in one place; a pattern with a default mentions it twice.
    if (!variable.places.includes(node.start)) variable.places.push(node.start);
  }
  // Two variables need names of their own where one is seen in the scope of the other.
  for (const variable of variables) variable.rivals = new Set();
  for (const variable of variables) {
    for (const scope of variable.scopes) {
      for (const other of scope.variables.values()) {
        if (other === variable) continue;
        variable.rivals.add(other);
        other.rivals.add(variable);
      }
    }
  }
  for (const variable of variables) variable.foreign = foreign;

  // A property must be no other one's name, wherever that is.
  const own = new Map(properties.map((name) => [name, { name, places: [], foreign: new Set(members.map(({ name }) => name)) }]));
  for (const { name, start } of members) own.get(name)?.places.push(start);
  for (const property of own.values()) {
    property.rivals = new Set([...own.values()].filter((other) => other !== property));
    for (const name of properties) property.foreign.delete(name);
  }
  return [...variables, ...own.values()];
};

/** Reads what `minified` built: functions and values, then what runs. `properties` are those whose names are its own. */
export const read = ({ code, properties }) => {
  const tree = parse(code, { ecmaVersion: 2022, sourceType: 'script' });
  const { body } = tree.body[0].expression.callee.body;
  const [{ declarations }, ...rest] = body;
  const variables = variablesOf(tree, properties);
  const places = variables.flatMap((variable) => variable.places.map((start) => ({ start, end: start + variable.name.length, variable }))).sort((a, b) => a.start - b.start);
  const shorthand = new Set();
  JSON.stringify(tree, (_, node) => {
    if (node?.type === 'Property' && node.shorthand) shorthand.add(node.key.start);
    return node;
  });

  /** A piece of the script as texts and the variables between them. */
  const pieceOf = ({ start, end, id, init }) => {
    const parts = [];
    let at = start;
    for (const place of places) {
      if (place.start < start || place.start >= end) continue;
      parts.push(code.slice(at, place.start) + (shorthand.has(place.start) ? `${place.variable.name}:` : ''), place.variable);
      at = place.end;
    }
    parts.push(code.slice(at, end));
    // Functions and plain values need nothing else to be there first.
    return { parts, isFree: !!id && /^(ArrowFunctionExpression|FunctionExpression|Literal)$/.test(init?.type) };
  };
  return { pieces: declarations.map(pieceOf), rest: rest.map(pieceOf), variables };
};

const print = ({ parts }) => parts.map((part) => part.name ?? part).join('');

/** The script, with the pieces in this order. */
export const write = ({ pieces, rest }) => `(()=>{var ${pieces.map(print).join(',')};${rest.map(print).join(';')}})();\n`;

/** Puts what needs nothing else in front, so that it may stand anywhere there. */
export const loosen = (program) => {
  const { pieces } = program;
  program.pieces = [...pieces.filter(({ isFree }) => isFree), ...pieces.filter(({ isFree }) => !isFree)];
};
