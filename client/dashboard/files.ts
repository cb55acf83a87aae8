/** Hands bytes to the user as a download; they are gathered first, since a link cannot carry the token. */
export async function saveFile(content: AsyncIterable<Uint8Array>, name: string): Promise<void> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of content) pieces.push(piece as Uint8Array<ArrayBuffer>);
  const url = URL.createObjectURL(new Blob(pieces));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of the blob by the next task.
  setTimeout(() => URL.revokeObjectURL(url));
}

/** Copies to the clipboard. Plain http pages have no clipboard of the new kind: there a selection is copied. */
export async function copyText(text: string): Promise<void> {
  if (isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("The browser refused to copy");
}
