//! Paper and boards, the light on them, and what a camera and its files do.

use digit_recognizer::Picture;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};

use super::ink::Coverage;
use super::random::{Field, Random};

/// Red, green and blue (sRGB), 0 to 255.
pub(crate) type Colour = [f32; 3];

pub(crate) fn gray(value: f32) -> Colour {
    [value; 3]
}

/// The brightness of a colour as ITU-R BT.601 weighs it, 0 to 255.
pub(crate) fn brightness([red, green, blue]: Colour) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// A page that something is drawn on.
pub(crate) struct Paper {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<Colour>,
}

impl Paper {
    pub(crate) fn new((width, height): (usize, usize), colour: Colour) -> Self {
        Self { width, height, pixels: vec![colour; width * height] }
    }

    pub(crate) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    pub(crate) fn ink(&mut self, ink: &Coverage, colour: Colour) {
        for (pixel, &share) in self.pixels.iter_mut().zip(&ink.values) {
            for (channel, to) in pixel.iter_mut().zip(colour) {
                *channel += (to - *channel) * share;
            }
        }
    }

    /// Changes each pixel, given its place from 0 to 1 across the page.
    pub(crate) fn each(&mut self, mut change: impl FnMut(f32, f32, &mut Colour)) {
        let (width, height) = (self.width as f32, self.height as f32);
        for (y, row) in self.pixels.chunks_exact_mut(self.width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                change((x as f32 + 0.5) / width, (y as f32 + 0.5) / height, pixel);
            }
        }
    }

    /// Unevenness that is soft, up to `amount` of 255, and features about
    /// `1 / cells` of the page wide.
    pub(crate) fn stain(&mut self, random: &mut Random, cells: usize, amount: f32) {
        let field = Field::new(random, cells);
        self.each(|x, y, pixel| {
            let change = field.at(x, y) * amount;
            *pixel = pixel.map(|channel| channel + change);
        });
    }

    /// Light that is `light(x, y)` of full light, 0 to 1. The square root turns
    /// light into sRGB, nearly.
    pub(crate) fn lit(&mut self, light: impl Fn(f32, f32) -> f32) {
        self.each(|x, y, pixel| {
            let factor = light(x, y).clamp(0.0, 1.0).sqrt();
            *pixel = pixel.map(|channel| channel * factor);
        });
    }

    /// Light that falls by `fall` from one side to the other, and by `vignette`
    /// from the middle to the corners.
    pub(crate) fn lit_from_a_side(&mut self, random: &mut Random, fall: f32, vignette: f32) {
        let (dx, dy) = random.direction();
        self.lit(|x, y| {
            let (x, y) = (x - 0.5, y - 0.5);
            let along = (x * dx + y * dy) / (dx.abs() + dy.abs()) + 0.5;
            (1.0 - fall * along) * (1.0 - vignette * 2.0 * (x * x + y * y))
        });
    }

    /// A shadow over a part of the page, such as a hand's or a shelf's: `depth`
    /// of the light is gone, and its edge is `softness` of the page wide.
    pub(crate) fn shaded(&mut self, random: &mut Random, depth: f32, softness: f32) {
        let ((dx, dy), field) = (random.direction(), Field::new(random, 3));
        let (offset, bend) = (random.between(-0.2, 0.2), random.between(0.0, 0.25));
        self.lit(|x, y| {
            let side = (x - 0.5) * dx + (y - 0.5) * dy + offset + bend * field.at(x, y);
            1.0 - depth * (0.5 + side / softness).clamp(0.0, 1.0)
        });
    }

    /// Noise of deviation `amount`, of colour or only of brightness.
    pub(crate) fn noisy(&mut self, random: &mut Random, amount: f32, coloured: bool) {
        self.each(|_, _, pixel| {
            let shared = random.normal();
            for channel in pixel {
                let noise = if coloured { random.normal() } else { shared };
                *channel += noise * amount;
            }
        });
    }

    /// Blurred as by a lens out of focus, nearly Gaussian with this deviation in
    /// pixels across and down.
    pub(crate) fn blurred(&mut self, (across, down): (f32, f32)) {
        let mut row = Vec::new();
        for y in 0..if across > 0.0 { self.height } else { 0 } {
            row.clear();
            row.extend_from_slice(&self.pixels[y * self.width..][..self.width]);
            blur(&mut row, across);
            self.pixels[y * self.width..][..self.width].copy_from_slice(&row);
        }
        for x in 0..if down > 0.0 { self.width } else { 0 } {
            row.clear();
            row.extend(self.pixels[x..].iter().step_by(self.width));
            blur(&mut row, down);
            for (pixel, &new) in self.pixels[x..].iter_mut().step_by(self.width).zip(&row) {
                *pixel = new;
            }
        }
    }

    /// The picture as it is.
    pub(crate) fn picture(&self) -> Picture {
        let rgba = self.bytes().flat_map(|[red, green, blue]| [red, green, blue, 255]).collect();
        Picture::from_rgba8(self.width, self.height, rgba).expect("a whole page")
    }

    /// The picture from a JPEG file of a quality from 1 to 100.
    pub(crate) fn jpeg(&self, quality: u8) -> Picture {
        Picture::decode(&jpeg(self.image().into(), quality)).expect("our own file")
    }

    /// The picture from a JPEG file whose pixels lie otherwise than upright, and
    /// whose EXIF data says how: 1 to 8.
    pub(crate) fn jpeg_lying(&self, quality: u8, orientation: u8) -> Picture {
        let upright = DynamicImage::from(self.image());
        let stored = match orientation {
            1 => upright,
            2 => upright.fliph(),
            3 => upright.rotate180(),
            4 => upright.flipv(),
            5 => upright.rotate90().fliph(),
            6 => upright.rotate270(),
            7 => upright.rotate270().fliph(),
            8 => upright.rotate90(),
            _ => panic!("an orientation from 1 to 8"),
        };
        let file = jpeg(stored, quality);
        // An APP1 segment of one entry, after the file's start marker.
        let mut exif = *b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        exif[29] = orientation;
        Picture::decode(&[&file[..2], &exif, &file[2..]].concat()).expect("our own file")
    }

    fn bytes(&self) -> impl Iterator<Item = [u8; 3]> {
        self.pixels.iter().map(|pixel| pixel.map(|channel| channel.round().clamp(0.0, 255.0) as u8))
    }

    fn image(&self) -> RgbImage {
        let (width, height) = (self.width as u32, self.height as u32);
        RgbImage::from_raw(width, height, self.bytes().flatten().collect()).expect("a whole page")
    }
}

fn jpeg(image: DynamicImage, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, quality);
    image.write_with_encoder(encoder).expect("a vector takes everything");
    file
}

/// Three box filters whose outermost weights are fractions (Gwosdek, Grewenig,
/// Bruhn and Weickert, *Theoretical foundations of Gaussian convolution by
/// extended box filtering*, 2011). What is beyond the ends is as they are.
fn blur(line: &mut [Colour], deviation: f32) {
    const PASSES: f32 = 3.0;
    let variance = deviation * deviation / PASSES;
    let radius = (((12.0 * variance + 1.0).sqrt() - 1.0) / 2.0).floor();
    let whole = 2.0 * radius + 1.0;
    let edge = whole * (variance - radius * (radius + 1.0) / 3.0)
        / (2.0 * ((radius + 1.0) * (radius + 1.0) - variance));
    let (radius, weight) = (radius as isize, 1.0 / (whole + 2.0 * edge));
    let mut old = Vec::new();
    for _ in 0..PASSES as usize {
        old.clear();
        old.extend_from_slice(line);
        let at = |index: isize| old[index.clamp(0, old.len() as isize - 1) as usize];
        for channel in 0..3 {
            let mut sum: f32 = (-radius..=radius).map(|index| at(index)[channel]).sum();
            for (index, pixel) in (0..).zip(line.iter_mut()) {
                let ends = at(index - radius - 1)[channel] + at(index + radius + 1)[channel];
                pixel[channel] = (sum + edge * ends) * weight;
                sum += at(index + radius + 1)[channel] - at(index - radius)[channel];
            }
        }
    }
}
