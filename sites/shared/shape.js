// What all pictures are made of.

export const SVG = 'http://www.w3.org/2000/svg';

/** An SVG element; children are elements or text. */
export function shape(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children.filter((child) => child !== null));
  return element;
}
