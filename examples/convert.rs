//! Converts networks and pictures between file formats.

mod shared;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use digit_recognizer::{Error, Network, Picture, preprocess};

/// Converts between file formats, which the names' endings tell.
///
/// A network: .digits (this library's weights file) or .npz (NumPy) to either.
///
/// A picture: .png, .jpg, .jpeg, .bmp, .gif or .webp to .csv, one row with the
/// network's 784 inputs.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example convert -- model.npz model.digits
  cargo run --release --example convert -- seven.png seven.csv")]
struct Args {
    /// The file to read
    #[arg(value_name = "IN")]
    from: PathBuf,

    /// The file to write
    #[arg(value_name = "OUT")]
    to: PathBuf,
}

fn main() -> ExitCode {
    shared::finish(run(&Args::parse()))
}

fn run(args: &Args) -> shared::Result<ExitCode> {
    let Args { from, to } = args;
    let what = match (ending(from).as_str(), ending(to).as_str()) {
        ("digits" | "npz", "digits") => convert_network(from, to, Network::save)?,
        ("digits" | "npz", "npz") => convert_network(from, to, Network::save_npz)?,
        ("png" | "jpg" | "jpeg" | "bmp" | "gif" | "webp", "csv") => convert_picture(from, to)?,
        _ => {
            return Err(format!(
                "{} to {}: expected .digits or .npz to .digits or .npz, \
                 or .png, .jpg, .jpeg, .bmp, .gif or .webp to .csv",
                from.display(),
                to.display()
            )
            .into());
        }
    };
    writeln!(io::stdout().lock(), "wrote {}: {what}", to.display())?;
    Ok(ExitCode::SUCCESS)
}

/// The ending of a file's name in lower case, or nothing.
fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn convert_network<'a>(
    from: &Path,
    to: &'a Path,
    save: impl FnOnce(&Network, &'a Path) -> Result<(), Error>,
) -> shared::Result<String> {
    let network = Network::load(from).map_err(|error| shared::name_file(from, &error))?;
    save(&network, to).map_err(|error| shared::name_file(to, &error))?;
    Ok(format!("layers {:?}, {} parameters", network.sizes(), network.parameter_count()))
}

fn convert_picture(from: &Path, to: &Path) -> shared::Result<String> {
    let image = Picture::open(from)
        .and_then(|picture| preprocess(&picture))
        .map_err(|error| shared::name_file(from, &error))?;
    image.save_csv(to).map_err(|error| shared::name_file(to, &error))?;
    Ok(format!("{} values", image.pixels().len()))
}
