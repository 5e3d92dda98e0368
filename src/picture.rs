//! Decoded pictures, as people have them.
//!
//! A [`Picture`] comes from a file's bytes (feature `image`) or from pixels
//! that a program already has, such as a canvas.

use std::fmt;

use crate::error::{Error, Result};

#[cfg(feature = "image")]
mod jpeg;

/// A picture in memory: colour and opacity, four bytes a pixel.
///
/// ```
/// use digit_recognizer::Picture;
///
/// // A gray picture of 2 x 1 pixels: black and white.
/// let picture = Picture::from_gray8(2, 1, &[0, 255])?;
/// assert_eq!(picture.rgba8(), [0, 0, 0, 255, 255, 255, 255, 255]);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

impl Picture {
    /// A picture from its pixels, row by row from the top left, each red, green,
    /// blue (sRGB) and opacity (0 is transparent), not premultiplied. This is
    /// what an HTML canvas gives.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `width` or `height` is 0, or there are not
    /// `width` × `height` × 4 bytes.
    pub fn from_rgba8(width: usize, height: usize, rgba: Vec<u8>) -> Result<Self> {
        check_size(width, height, 4, rgba.len())?;
        Ok(Self { width, height, rgba })
    }

    /// A picture from gray pixels, row by row from the top left, 0 black to 255
    /// white.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `width` or `height` is 0, or there are not
    /// `width` × `height` bytes.
    pub fn from_gray8(width: usize, height: usize, gray: &[u8]) -> Result<Self> {
        check_size(width, height, 1, gray.len())?;
        let rgba = gray.iter().flat_map(|&gray| [gray, gray, gray, u8::MAX]).collect();
        Ok(Self { width, height, rgba })
    }

    /// The width in pixels, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The height in pixels, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels, as [`from_rgba8`](Self::from_rgba8) takes them.
    pub fn rgba8(&self) -> &[u8] {
        &self.rgba
    }

    /// The pixels one by one, row by row.
    pub(crate) fn pixels(&self) -> &[[u8; 4]] {
        self.rgba.as_chunks().0
    }
}

fn check_size(width: usize, height: usize, bytes_per_pixel: usize, found: usize) -> Result<()> {
    let size = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(bytes_per_pixel));
    match size {
        Some(size) if size > 0 && size == found => Ok(()),
        _ => Err(Error::Mismatch {
            what: "bytes of a picture",
            expected: format!("{width} x {height} x {bytes_per_pixel}, neither side 0"),
            found: format!("{found} bytes"),
        }),
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

#[cfg(feature = "image")]
mod decode {
    use std::fs::File;
    use std::io::{BufRead, BufReader, Cursor, Seek};
    use std::path::Path;

    use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

    use super::{Picture, jpeg};
    use crate::error::{Error, Result};

    /// Pixels of the largest picture that is decoded: 64 Mi, more than a phone's
    /// camera makes by default, and 256 MiB as a [`Picture`].
    const MAX_PIXELS: u64 = 64 << 20;

    /// Memory that a decoder may use for itself and its output: eight bytes for
    /// each of the pixels above, as 16-bit colour with opacity needs.
    const MAX_DECODER_BYTES: u64 = 8 * MAX_PIXELS;

    impl Picture {
        /// Decodes the bytes of a PNG, JPEG, BMP, GIF (its first picture) or
        /// WebP file, told apart by content, and turns it upright as its EXIF
        /// orientation says.
        ///
        /// # Errors
        /// [`Error::Picture`] if it is not a whole picture of such a format, or
        /// has more than 64 Mi pixels.
        ///
        /// Memory is at most 16 bytes a pixel, and 4 MiB.
        pub fn decode(bytes: &[u8]) -> Result<Self> {
            decode(Cursor::new(bytes))
        }

        /// Opens and [decodes](Self::decode) a picture file.
        ///
        /// # Errors
        /// [`Error::File`] with the path, around [`Error::Io`] if the file
        /// cannot be opened and the errors of [`decode`](Self::decode).
        pub fn open(path: impl AsRef<Path>) -> Result<Self> {
            let path = path.as_ref();
            let open = || decode(BufReader::new(File::open(path)?));
            open().map_err(|error: Error| error.in_file(path))
        }
    }

    fn decode(reader: impl BufRead + Seek) -> Result<Picture> {
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_DECODER_BYTES);
        let mut reader = ImageReader::new(reader).with_guessed_format()?;
        if reader.format() == Some(ImageFormat::Jpeg) {
            let mut file = reader.into_inner();
            if !jpeg::is_whole(&mut file)? {
                let reason = "expected a JPEG with its end marker, found the end of the file";
                return Err(refused_because(reason.to_owned()));
            }
            file.rewind()?;
            reader = ImageReader::with_format(file, ImageFormat::Jpeg);
        }
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(refused)?;
        let (width, height) = decoder.dimensions();
        if !(1..=MAX_PIXELS).contains(&(u64::from(width) * u64::from(height))) {
            return Err(refused_because(format!(
                "expected 1 to {MAX_PIXELS} pixels, found {width} x {height}"
            )));
        }
        let orientation = decoder.orientation().map_err(refused)?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
        image.apply_orientation(orientation);
        let image = image.into_rgba8();
        Picture::from_rgba8(image.width() as usize, image.height() as usize, image.into_raw())
    }

    fn refused(error: ImageError) -> Error {
        match error {
            // What the system says is not about the bytes.
            ImageError::IoError(error) if error.raw_os_error().is_some() => Error::Io(error),
            error => Error::Picture { source: Box::new(error) },
        }
    }

    fn refused_because(reason: String) -> Error {
        Error::Picture { source: reason.into() }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_the_system_says_is_an_io_error_and_what_the_decoder_says_is_not() {
            let unreadable = std::io::Error::from_raw_os_error(5);
            assert!(matches!(refused(ImageError::IoError(unreadable)), Error::Io(_)));
            let cut = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            assert!(matches!(refused(ImageError::IoError(cut)), Error::Picture { .. }));
        }
    }
}
