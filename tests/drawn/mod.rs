//! Pictures of digits as people have them, drawn by the tests: each is a function
//! of its condition, its digit and a number, the same on every machine.

mod camera;
pub(crate) mod glyph;
mod ink;
mod letters;
pub(crate) mod non_digits;
mod paper;
mod printed;
pub(crate) mod random;
mod scene;
mod screen;
pub(crate) mod sheet;
mod tiny;

use digit_recognizer::Picture;

use glyph::Glyph;
use random::Random;

/// How a picture of a digit comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// 28×28, as MNIST has it.
    MnistForm,
    /// Drawn in a paint program.
    Paint,
    /// Drawn on a canvas of 28×28 with a brush of 1 to 2 pixels.
    Paint28,
    /// Drawn with a brush as thin as a hair.
    Hair,
    /// Drawn with a marker, up to a fifth of the digit wide.
    Marker,
    /// Small, anywhere on the page.
    OffCentre,
    /// So small on the page that it is a few pixels where that is reduced.
    Distant,
    /// Cut out, with hardly any paper around.
    Cropped,
    /// On a page up to ten times as wide as high, or the other way round.
    Strip,
    /// Ink hardly darker, or lighter, than its paper.
    LowContrast,
    /// Noise in each pixel.
    Noise,
    /// Noise in each pixel, and ink of as little contrast.
    Faint,
    /// Some pixels black or white.
    SaltAndPepper,
    /// Saved with all the blocks of a poor JPEG.
    Jpeg,
    /// Out of focus, or shaken.
    Blur,
    /// A photo in uneven light.
    Photo,
    /// A photo with a shadow over a part of it.
    Shadow,
    /// Ink and paper of any two colours, also equally bright ones.
    Coloured,
    /// Light ink on a dark page.
    Inverted,
    /// Chalk on a board that is not clean.
    Chalk,
    /// Nothing but opacity says where the ink is.
    Alpha,
    /// On ruled paper.
    Ruled,
    /// On squared paper.
    Squared,
    /// In a form's printed box, some reaching over it.
    Boxed,
    /// In pencil.
    Pencil,
    /// A JPEG that lies on its side or head, and whose EXIF data says so.
    Exif,
    /// Three million pixels.
    Large,
    /// 16×16, touching the borders.
    PostOffice,
}

impl Condition {
    pub(crate) const ALL: [Self; 28] = [
        Self::MnistForm,
        Self::Paint,
        Self::Paint28,
        Self::Hair,
        Self::Marker,
        Self::OffCentre,
        Self::Distant,
        Self::Cropped,
        Self::Strip,
        Self::LowContrast,
        Self::Noise,
        Self::Faint,
        Self::SaltAndPepper,
        Self::Jpeg,
        Self::Blur,
        Self::Photo,
        Self::Shadow,
        Self::Coloured,
        Self::Inverted,
        Self::Chalk,
        Self::Alpha,
        Self::Ruled,
        Self::Squared,
        Self::Boxed,
        Self::Pencil,
        Self::Exif,
        Self::Large,
        Self::PostOffice,
    ];

    /// Draws a glyph; another `index` is another picture of it.
    pub(crate) fn picture(self, glyph: &Glyph, index: usize) -> Picture {
        let draw = match self {
            Self::MnistForm => tiny::mnist_form,
            Self::Paint => screen::paint,
            Self::Paint28 => tiny::paint28,
            Self::Hair => screen::hair,
            Self::Marker => screen::marker,
            Self::OffCentre => screen::off_centre,
            Self::Distant => screen::distant,
            Self::Cropped => screen::cropped,
            Self::Strip => screen::strip,
            Self::LowContrast => screen::low_contrast,
            Self::Noise => screen::noise,
            Self::Faint => screen::faint,
            Self::SaltAndPepper => screen::salt_and_pepper,
            Self::Jpeg => screen::jpeg,
            Self::Blur => screen::blur,
            Self::Photo => camera::photo,
            Self::Shadow => camera::shadow,
            Self::Coloured => screen::coloured,
            Self::Inverted => screen::inverted,
            Self::Chalk => camera::chalk,
            Self::Alpha => screen::alpha,
            Self::Ruled => printed::ruled,
            Self::Squared => printed::squared,
            Self::Boxed => printed::boxed,
            Self::Pencil => camera::pencil,
            Self::Exif => camera::exif,
            Self::Large => camera::large,
            Self::PostOffice => tiny::post_office,
        };
        draw(&mut Random::of(&format!("{self:?}"), index), glyph)
    }
}
