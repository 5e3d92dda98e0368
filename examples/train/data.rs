//! What the command trains on and measures with.

use std::path::{Path, PathBuf};

use digit_recognizer::unipen::{self, PenDigit};
use digit_recognizer::{Dataset, kaggle, mnist, outliers};

use crate::options::Options;
use crate::shared;

/// The pen that digits to validate with are drawn with, in pixels: MNIST's
/// strokes are about as wide.
const PEN_WIDTH: f32 = 2.5;

/// The images to train on, and those to measure with after each epoch.
pub(crate) struct Data {
    pub(crate) training: Dataset,
    pub(crate) validation: Option<Dataset>,
}

/// The file or folder that was asked for, or the sample that comes with the project.
pub(crate) fn source(options: &Options) -> PathBuf {
    let sample = || Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mnist");
    options.data.clone().unwrap_or_else(sample)
}

pub(crate) fn read(options: &Options) -> shared::Result<Data> {
    let images = read_training(&source(options))?;
    let (mut training, mut validation) = split(&images, options.validation)?;
    if let Some(path) = &options.strokes {
        let digits = shared::with_spinner(format!("reading {}", path.display()), || {
            unipen::load(path).map_err(|error| shared::name_file(path, &error))
        })?;
        let first = first_validation_writer(&digits, options.validation_writers)?;
        let draw = |validates: bool, widths: &[f32]| {
            let digits = digits.iter().filter(|digit| (digit.writer >= first) == validates);
            unipen::dataset(digits, widths).map_err(|error| format!("--pen-widths: {error}"))
        };
        join(&mut training, &draw(false, &options.pen_widths)?, path)?;
        if options.validation_writers > 0 {
            let drawn = draw(true, &[PEN_WIDTH])?;
            match &mut validation {
                Some(validation) => join(validation, &drawn, path)?,
                None => validation = Some(drawn),
            }
        }
    }
    if options.outliers > 0 {
        let outliers = outliers(&training, options.outliers, options.seed)
            .map_err(|error| format!("--outliers: {error}"))?;
        training.extend(&outliers)?;
    }
    Ok(Data { training, validation })
}

/// The test images of a folder.
pub(crate) fn read_test(folder: &Path) -> shared::Result<Dataset> {
    mnist::load(folder, mnist::Split::Test).map_err(|error| {
        let error = shared::name_file(folder, &error);
        format!("the network is written, but there is no test set to measure it: {error}").into()
    })
}

fn read_training(data: &Path) -> shared::Result<Dataset> {
    shared::with_spinner(format!("reading {}", data.display()), || match data.is_dir() {
        true => mnist::load(data, mnist::Split::Train),
        false => kaggle::load_train(data),
    })
    .map_err(|error| shared::name_file(data, &error).into())
}

/// The images to train on, and the last ones to validate with.
fn split(dataset: &Dataset, asked: Option<usize>) -> shared::Result<(Dataset, Option<Dataset>)> {
    let len = dataset.len();
    let count = asked.unwrap_or((len / 10).min(5000));
    if count >= len {
        return Err(format!(
            "--validation: expected fewer than the {len} images of the set, found {count}"
        )
        .into());
    }
    let training = dataset.slice(0..len - count);
    let validation = (count > 0).then(|| dataset.slice(len - count..len));
    Ok((training, validation))
}

/// The first of the last `count` writers.
fn first_validation_writer(digits: &[PenDigit], count: usize) -> shared::Result<u32> {
    let mut writers: Vec<u32> = digits.iter().map(|digit| digit.writer).collect();
    writers.sort_unstable();
    writers.dedup();
    match writers.len().checked_sub(count) {
        Some(kept) if kept > 0 => Ok(writers.get(kept).copied().unwrap_or(u32::MAX)),
        _ => Err(format!(
            "--validation-writers: expected fewer than the {} writers of the strokes, found {count}",
            writers.len()
        )
        .into()),
    }
}

fn join(dataset: &mut Dataset, other: &Dataset, path: &Path) -> shared::Result<()> {
    dataset.extend(other).map_err(|error| shared::name_file(path, &error).into())
}
