import type { Attribute, ElementNode, Handlers, Props, Style, ViewNode } from "./element.ts";

const SVG = "http://www.w3.org/2000/svg";

/** What each element was last rendered from; elements that are not in here are not ours. */
const rendered = new WeakMap<Node, ViewNode>();
const NOTHING: Props = {};

/** Makes the children of `parent` what `nodes` describe, keeping every element whose key and tag are still there. */
export function render(parent: Element, nodes: readonly ViewNode[]): void {
  const old = index(parent);
  const place = nodes.map((node, position) => old.get(identity(node, position)));
  const kept = new Set<Node>(place.filter((node) => node !== undefined));
  // What has gone goes first: then those that stay are in order and need not move, which would take their focus.
  for (const child of [...parent.childNodes]) if (!kept.has(child)) child.remove();

  let cursor: ChildNode | null = parent.firstChild;
  nodes.forEach((node, position) => {
    const target = place[position] ?? create(node, parent);
    if (target === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(target, cursor);
    update(target, node);
  });
}

function index(parent: Element): Map<string, ChildNode> {
  const byIdentity = new Map<string, ChildNode>();
  [...parent.childNodes].forEach((child, position) => {
    const node = rendered.get(child);
    if (node !== undefined) byIdentity.set(identity(node, position), child);
  });
  return byIdentity;
}

function identity(node: ViewNode, position: number): string {
  if (typeof node === "string") return `text ${position}`;
  return node.props.key === undefined ? `${node.tag} at ${position}` : `${node.tag} ${node.props.key}`;
}

function create(node: ViewNode, parent: Element): ChildNode {
  if (typeof node === "string") return document.createTextNode("");
  const inSvg = node.tag === "svg" || (parent.namespaceURI === SVG && parent.localName !== "foreignObject");
  return inSvg ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
}

function update(target: ChildNode, node: ViewNode): void {
  const before = rendered.get(target);
  rendered.set(target, node);
  if (typeof node === "string") {
    if (before !== node) target.textContent = node;
    return;
  }
  if (!(target instanceof Element)) return;
  setProps(target, typeof before === "object" ? before.props : NOTHING, node.props);
  render(target, node.children);
  setControl(target, node);
  node.props.after?.(target);
}

function setProps(target: Element, before: Props, now: Props): void {
  for (const name of Object.keys(before)) if (!(name in now)) setProp(target, name, before[name], undefined);
  for (const [name, value] of Object.entries(now))
    if (before[name] !== value) setProp(target, name, before[name], value);
}

function setProp(target: Element, name: string, before: Props[string], value: Props[string]): void {
  if (name === "key" || name === "after" || name === "value" || name === "checked") return;
  if (name === "on") listen(target, (value ?? {}) as Handlers);
  else if (name === "style") setStyle(target, (before ?? {}) as Style, (value ?? {}) as Style);
  else setAttribute(target, name, value as Attribute);
}

function setAttribute(target: Element, name: string, value: Attribute): void {
  if (value === undefined || value === false) target.removeAttribute(name);
  else target.setAttribute(name, value === true ? "" : String(value));
}

function setStyle(target: Element, before: Style, now: Style): void {
  if (!(target instanceof HTMLElement || target instanceof SVGElement)) return;
  for (const name of Object.keys(before)) if (!(name in now)) target.style.removeProperty(name);
  for (const [name, value] of Object.entries(now)) target.style.setProperty(name, value);
}

/** A control's value follows the model, but only where it differs: setting it moves the caret. Options come first. */
function setControl(target: Element, { props }: ElementNode): void {
  if (
    props.value !== undefined &&
    (target instanceof HTMLInputElement ||
      target instanceof HTMLSelectElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLOptionElement) &&
    target.value !== props.value
  ) {
    target.value = props.value;
  }
  if (props.checked !== undefined && target instanceof HTMLInputElement) target.checked = props.checked;
}

/** The present handlers of each element; one listener per event type stays for the element's life. */
const handlers = new WeakMap<Element, Handlers>();
const listening = new WeakMap<Element, Set<string>>();

function listen(target: Element, now: Handlers): void {
  handlers.set(target, now);
  const types = listening.get(target) ?? new Set<string>();
  listening.set(target, types);
  for (const type of Object.keys(now)) {
    if (types.has(type)) continue;
    types.add(type);
    target.addEventListener(type, (event) => {
      const handler = handlers.get(target)?.[event.type as keyof HTMLElementEventMap];
      (handler as ((event: Event) => unknown) | undefined)?.(event);
    });
  }
}
