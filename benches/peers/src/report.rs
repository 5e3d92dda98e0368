//! What is printed: Markdown tables, under a header that names the machine.

use std::fmt;

/// A table in GitHub's Markdown; the first column is text, the others numbers.
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { header: header.map(str::to_owned).into(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line =
            |f: &mut fmt::Formatter<'_>, cells: &[String]| writeln!(f, "| {} |", cells.join(" | "));
        line(f, &self.header)?;
        writeln!(f, "|---{}|", "|---:".repeat(self.header.len() - 1))?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

/// Prints what is measured, and on which machine.
pub fn print_header(title: &str) {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let flags = field("flags").unwrap_or_default();
    let has = |flag: &&str| flags.split(' ').any(|f| f == *flag);
    let vectors = ["avx2", "fma", "avx512f"].into_iter().filter(has);
    println!(
        "## {title}\n\n{}, {} cores, {}\n",
        field("model name").unwrap_or("unknown CPU"),
        cores(),
        vectors.collect::<Vec<_>>().join(" "),
    );
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The same measurement in several rounds.
#[derive(Clone, Default)]
pub struct Rounds(pub Vec<f64>);

impl Rounds {
    pub fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) {
            (sorted[middle - 1] + sorted[middle]) / 2.0
        } else {
            sorted[middle]
        }
    }
}
