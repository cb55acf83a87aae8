/**
 * What a view returns: a description of elements as plain data. A view is a pure function from the view model to these, so
 * tests compare data without a browser; render.ts brings the document into their shape.
 */
export interface ElementNode {
  readonly tag: string;
  readonly props: Props;
  readonly children: readonly ViewNode[];
}

export type ViewNode = ElementNode | string;
/** What may stand between the children of `h`: lists are flattened, absent parts left out. */
export type Child = ViewNode | number | false | null | undefined | readonly Child[];

export type Handlers = {
  readonly [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => unknown;
};
/** CSS properties, custom ones included; set through CSSOM since the content policy forbids style attributes. */
export type Style = Readonly<Record<`--${string}`, string>>;

export interface Props {
  /** Identity among siblings: an element with the same key and tag is kept, with its focus and scroll position. */
  readonly key?: string;
  readonly on?: Handlers;
  readonly style?: Style;
  /** Present value of a form control. */
  readonly value?: string;
  readonly checked?: boolean;
  /** Called after every update of the element, once its children are in place. */
  readonly after?: (element: Element) => void;
  /** Any other name is an attribute; `true` sets it empty, `false` and `undefined` remove it. */
  readonly [attribute: string]: Attribute | Handlers | Style | ((element: Element) => void);
}
export type Attribute = string | number | boolean | undefined;

export function h(tag: string, props: Props | null, ...children: readonly Child[]): ElementNode {
  const flat: ViewNode[] = [];
  flatten(children, flat);
  return { tag, props: props ?? {}, children: flat };
}

function flatten(children: readonly Child[], into: ViewNode[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (typeof child === "number") into.push(String(child));
    else if (typeof child === "string" || "tag" in child) into.push(child);
    else flatten(child, into);
  }
}

/** All text in a description, as a reader would see it; for tests and for labels. */
export function textOf(node: ViewNode): string {
  return typeof node === "string" ? node : node.children.map(textOf).join("");
}
