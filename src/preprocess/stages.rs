//! Watching the steps.

use crate::picture::Picture;
use crate::preprocess::grid::{Mask, Plane};

/// What one step of the preprocessing made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The step, such as `"contrast"`.
    pub name: &'static str,
    /// Its result: paper is white, ink is black.
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

    /// A plane, `black` to `white`.
    pub(super) fn plane(&mut self, name: &'static str, plane: &Plane, black: f32, white: f32) {
        let gray = |value: f32| ((value - black) / (white - black) * 255.0) as u8;
        self.picture(name, || {
            picture_of(plane.width, plane.height, plane.values.iter().copied().map(gray))
        });
    }

    /// A mask, in black.
    pub(super) fn mask(&mut self, name: &'static str, mask: &Mask) {
        let gray = |&inside: &bool| if inside { 0 } else { u8::MAX };
        self.picture(name, || picture_of(mask.width, mask.height, mask.values.iter().map(gray)));
    }
}

fn picture_of(width: usize, height: usize, gray: impl Iterator<Item = u8>) -> Picture {
    Picture::from_gray8(width, height, &gray.collect::<Vec<_>>()).expect("a value for each pixel")
}
