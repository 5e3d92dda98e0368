//! Watching the steps.

use crate::digit_image::{DigitImage, SIDE};
use crate::picture::Picture;
use crate::preprocess::grid::{Mask, Plane};
use crate::preprocess::reduce::Colours;

/// What one step of the preprocessing made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stage {
    /// The step, such as `"contrast"`.
    pub name: &'static str,
    /// Its result; from `"contrast"` on, ink is black on white.
    pub picture: Picture,
}

/// Collects the stages where somebody watches.
pub(super) struct Watch(Option<Vec<Stage>>);

impl Watch {
    pub(super) fn nobody() -> Self {
        Self(None)
    }

    pub(super) fn somebody() -> Self {
        Self(Some(Vec::new()))
    }

    pub(super) fn into_stages(self) -> Vec<Stage> {
        self.0.unwrap_or_default()
    }

    pub(super) fn picture(&mut self, name: &'static str, picture: impl FnOnce() -> Picture) {
        if let Some(stages) = &mut self.0 {
            stages.push(Stage { name, picture: picture() });
        }
    }

    pub(super) fn colours(&mut self, name: &'static str, [red, green, blue]: &Colours) {
        let pixels = red.values.iter().zip(&green.values).zip(&blue.values);
        let bytes = pixels.flat_map(|((&red, &green), &blue)| {
            [red.round() as u8, green.round() as u8, blue.round() as u8, u8::MAX]
        });
        self.picture(name, || picture(red.width, red.height, bytes.collect()));
    }

    /// A plane whose darkest value becomes black, the brightest white.
    pub(super) fn brightness(&mut self, name: &'static str, plane: &Plane) {
        if self.0.is_some() {
            let (black, white) = plane.range();
            self.plane(name, plane, black, white);
        }
    }

    /// A plane whose values from `black` to `white` become gray.
    pub(super) fn plane(&mut self, name: &'static str, plane: &Plane, black: f32, white: f32) {
        let gray = |&value: &f32| ((value - black) / (white - black) * 255.0).round() as u8;
        let bytes = plane.values.iter().map(gray).flat_map(|gray| [gray, gray, gray, u8::MAX]);
        self.picture(name, || picture(plane.width, plane.height, bytes.collect()));
    }

    /// A mask, in black.
    pub(super) fn mask(&mut self, name: &'static str, mask: &Mask) {
        let gray = |&inside: &bool| if inside { 0 } else { u8::MAX };
        let bytes = mask.values.iter().map(gray).flat_map(|gray| [gray, gray, gray, u8::MAX]);
        self.picture(name, || picture(mask.width, mask.height, bytes.collect()));
    }

    pub(super) fn digit(&mut self, name: &'static str, digit: &DigitImage) {
        let gray = |&ink: &f32| ((1.0 - ink) * 255.0).round() as u8;
        let bytes = digit.pixels().iter().map(gray).flat_map(|gray| [gray, gray, gray, u8::MAX]);
        self.picture(name, || picture(SIDE, SIDE, bytes.collect()));
    }
}

fn picture(width: usize, height: usize, rgba: Vec<u8>) -> Picture {
    Picture::from_rgba8(width, height, rgba).expect("four bytes for each pixel")
}
