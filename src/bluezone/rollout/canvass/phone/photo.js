// SPDX-License-Identifier: Apache-2.0
/** A photograph made small on the phone, without its place and time: drawn anew, at most 1,280 pixels wide or high. */

const LARGEST_FILE = 30_000_000;
const LARGEST_JPEG = 400_000;
const EDGE = 1280;
const QUALITIES = [0.72, 0.55, 0.4, 0.25];

/** {jpeg: base64, size} of a picture file. Rejects with {code: "photo_large" | "photo_unreadable", megabytes}. */
export async function shrink(file) {
  const megabytes = Math.max(1, Math.round(file.size / 1_000_000));
  // Drawing it would need more memory than a cheap phone has, and the browser would close with everything in it.
  if (file.size > LARGEST_FILE) throw Object.assign(new Error("large"), { code: "photo_large", megabytes });
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw Object.assign(new Error("unreadable"), { code: "photo_unreadable", megabytes });
  }
  for (const shrunk of [1, 0.7, 0.5]) {
    const blob = await drawn(picture, EDGE * shrunk);
    if (blob) {
      picture.close();
      return { jpeg: await base64(blob), size: blob.size };
    }
  }
  picture.close();
  throw Object.assign(new Error("large"), { code: "photo_large", megabytes });
}

async function drawn(picture, edge) {
  const scale = Math.min(1, edge / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  for (const quality of QUALITIES) {
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= LARGEST_JPEG) return blob;
  }
  return null;
}

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
