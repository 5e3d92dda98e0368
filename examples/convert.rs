//! Converts networks and pictures between file formats.

mod shared;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use digit_recognizer::{Network, Picture, Storage, preprocess};
use shared::StorageName;

/// Converts between file formats, which the names' endings tell.
///
/// A network: .digits (this library's weights file), .safetensors or .npz (NumPy) to
/// any of these, or to .onnx. An .npz has float64 and no temperature: the last layer is
/// divided by it.
///
/// A picture: .png, .jpg, .jpeg, .bmp, .gif or .webp to .csv, one row with the
/// network's 784 inputs.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example convert -- model.npz model.digits
  cargo run --release --example convert -- model.digits model.onnx
  cargo run --release --example convert -- --storage i8 model.digits small.digits
  cargo run --release --example convert -- seven.png seven.csv")]
struct Args {
    /// How a .digits file stores the weights: 4, 2 or 1 bytes each [default: f32]
    #[arg(long, value_name = "TYPE")]
    storage: Option<StorageName>,

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
    let Args { storage, from, to } = args;
    let endings = (ending(from), ending(to));
    if storage.is_some() && endings.1 != "digits" {
        return Err(
            format!("--storage: expected OUT as a .digits file, found {}", to.display()).into()
        );
    }
    let what = match (endings.0.as_str(), endings.1.as_str()) {
        ("digits" | "npz" | "safetensors", "digits" | "npz" | "onnx" | "safetensors") => {
            convert_network(from, to, *storage)?
        }
        ("png" | "jpg" | "jpeg" | "bmp" | "gif" | "webp", "csv") => convert_picture(from, to)?,
        _ => {
            return Err(format!(
                "{} to {}: expected .digits, .npz or .safetensors to one of them or to .onnx, \
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

fn convert_network(from: &Path, to: &Path, storage: Option<StorageName>) -> shared::Result<String> {
    let network = Network::load(from).map_err(|error| shared::name_file(from, &error))?;
    let storage = storage.map_or(Storage::F32, Storage::from);
    let before = file_len(from)?;
    let saved = match ending(to).as_str() {
        "npz" => network.save_npz(to),
        "onnx" => network.save_onnx(to),
        "safetensors" => network.save_safetensors(to),
        _ => network.save_as(to, storage),
    };
    saved.map_err(|error| shared::name_file(to, &error))?;
    let (sizes, parameters, after) = (network.sizes(), network.parameter_count(), file_len(to)?);
    Ok(format!("layers {sizes:?}, {parameters} parameters, {before} to {after} bytes"))
}

fn file_len(path: &Path) -> shared::Result<u64> {
    let found = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(found.len())
}

fn convert_picture(from: &Path, to: &Path) -> shared::Result<String> {
    let image = Picture::open(from)
        .and_then(|picture| preprocess(&picture))
        .map_err(|error| shared::name_file(from, &error))?;
    image.save_csv(to).map_err(|error| shared::name_file(to, &error))?;
    Ok(format!("{} values", image.pixels().len()))
}
