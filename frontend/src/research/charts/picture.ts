/** A chart as a picture: its drawings and canvases as they lie, twice as fine, on the panel's ground. */
import { token } from "@/lib/theme";

const FINE = 2;

/** Draw what is in `box` and offer it as a file. */
export async function savePicture(box: HTMLElement, name: string): Promise<void> {
  const frame = box.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(frame.width * FINE);
  canvas.height = Math.ceil(frame.height * FINE);
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.scale(FINE, FINE);
  pen.fillStyle = token("surface");
  pen.fillRect(0, 0, frame.width, frame.height);
  for (const part of box.querySelectorAll<SVGSVGElement | HTMLCanvasElement>("canvas, svg[data-drawn]")) {
    const at = part.getBoundingClientRect();
    const image = part instanceof HTMLCanvasElement ? part : await imageOf(part, at.width, at.height);
    pen.drawImage(image, at.left - frame.left, at.top - frame.top, at.width, at.height);
  }
  canvas.toBlob((blob) => {
    if (blob === null) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name}.png`;
    link.click();
    window.setTimeout(() => { URL.revokeObjectURL(link.href); }, 10_000);
  });
}

async function imageOf(svg: SVGSVGElement, width: number, height: number): Promise<HTMLImageElement> {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width * FINE));
  copy.setAttribute("height", String(height * FINE));
  copy.setAttribute("font-family", "Inter, system-ui, sans-serif");
  const text = new XMLSerializer().serializeToString(copy).replaceAll(/var\(--gs-([\w-]+)\)/g, (_, name: string) => token(name));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  return image;
}
