//! Matrix products in f32 on one thread, and the peak of one core.

use std::hint::black_box;
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::ours;
use crate::peak;
use crate::report::{Rounds, Table, print_header};

/// C = A·B: C is (m, n), the inner size is k.
struct Shape {
    name: &'static str,
    m: usize,
    n: usize,
    k: usize,
    /// A is stored (k, m).
    a_transposed: bool,
    /// B is stored (n, k).
    b_transposed: bool,
}

const fn shape(name: &'static str, m: usize, n: usize, k: usize, layout: (bool, bool)) -> Shape {
    Shape { name, m, n, k, a_transposed: layout.0, b_transposed: layout.1 }
}

static SHAPES: [Shape; 6] = [
    shape("A·B 128×512×784", 128, 512, 784, (false, false)),
    shape("Aᵀ·B 784×512×128", 784, 512, 128, (true, false)),
    shape("A·Bᵀ 128×784×512", 128, 784, 512, (false, true)),
    shape("A·B 64×128×784", 64, 128, 784, (false, false)),
    shape("A·B 512×512×512", 512, 512, 512, (false, false)),
    shape("A·B 1024×1024×1024", 1024, 1024, 1024, (false, false)),
];

const NAMES: [&str; 4] = ["ours", "gemm", "matrixmultiply", "faer"];

/// Seconds of one competitor on one shape in one round.
const SLICE: f64 = 0.03;

pub fn run(rounds: usize) {
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("MATMUL_NUM_THREADS", "1") };
    print_header("Products: GFLOP/s in f32, one thread");
    let mut problems: Vec<Problem> = SHAPES.iter().map(Problem::new).collect();
    let difference = problems.iter_mut().map(Problem::check).fold(0.0, f32::max);

    let mut peaks = Vec::new();
    let mut times = vec![[const { Rounds(Vec::new()) }; NAMES.len()]; SHAPES.len()];
    for _ in 0..rounds {
        peaks.extend(peak::measure());
        for (problem, times) in problems.iter_mut().zip(&mut times) {
            for (index, times) in times.iter_mut().enumerate() {
                times.0.push(problem.seconds(index));
            }
        }
    }

    let peak = peaks.into_iter().fold(f64::NAN, f64::max);
    let mut table = Table::new([
        "m×n×k",
        "ours",
        "gemm",
        "matrixmultiply",
        "faer",
        "ours, of peak",
        "ours / best peer",
    ]);
    for (problem, times) in problems.iter().zip(&times) {
        let gflops = |times: &Rounds| problem.flops() / times.min() / 1e9;
        let [ours, peers @ ..] = times.each_ref().map(gflops);
        let best = peers.into_iter().fold(0.0, f64::max);
        let speeds = [ours].into_iter().chain(peers).map(|speed| format!("{speed:.1}"));
        let ratios = [format!("{:.0} %", 100.0 * ours / peak), format!("{:.2}", ours / best)];
        table.row([problem.shape.name.to_owned()].into_iter().chain(speeds).chain(ratios));
    }
    println!("{table}");
    println!("Fused multiply-add peak of one core: {peak:.1} GFLOP/s. Best of {rounds} rounds.");
    println!("Largest relative difference between the results: {difference:.1e}.");
}

struct Problem {
    shape: &'static Shape,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    ours: ours::Product,
}

impl Problem {
    fn new(shape: &'static Shape) -> Self {
        let Shape { m, n, k, .. } = *shape;
        let numbers = |count: usize, seed: usize| -> Vec<f32> {
            (0..count).map(|i| ((i * 31 + i / 7 + seed) % 211) as f32 / 105.0 - 1.0).collect()
        };
        let (a, b) = (numbers(m * k, 0), numbers(k * n, 77));
        let (a_rows, a_cols) = if shape.a_transposed { (k, m) } else { (m, k) };
        let (b_rows, b_cols) = if shape.b_transposed { (n, k) } else { (k, n) };
        let ours = ours::Product::new((a_rows, a_cols, &a), (b_rows, b_cols, &b));
        Self { shape, a, b, c: vec![0.0; m * n], ours }
    }

    fn flops(&self) -> f64 {
        let Shape { m, n, k, .. } = *self.shape;
        (2 * m * n * k) as f64
    }

    /// Seconds of one product, the mean over a slice of time.
    fn seconds(&mut self, index: usize) -> f64 {
        let once = self.time(index, 1);
        let count = (SLICE / once).clamp(1.0, 10_000.0) as usize;
        self.time(index, count)
    }

    fn time(&mut self, index: usize, count: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..count {
            black_box(self.compute(index));
        }
        start.elapsed().as_secs_f64() / count as f64
    }

    /// The largest difference between two results, relative to the largest element.
    fn check(&mut self) -> f32 {
        let expected = self.compute(0).to_vec();
        let scale = expected.iter().fold(0.0, |max: f32, x| max.max(x.abs()));
        let mut largest = 0.0_f32;
        for (index, name) in NAMES.iter().enumerate().skip(1) {
            let found = self.compute(index);
            let difference = found.iter().zip(&expected).map(|(x, y)| (x - y).abs() / scale);
            let difference = difference.fold(0.0, f32::max);
            assert!(difference < 1e-3, "{name} differs by {difference} on {}", self.shape.name);
            largest = largest.max(difference);
        }
        largest
    }

    fn compute(&mut self, index: usize) -> &[f32] {
        let Shape { m, n, k, a_transposed, b_transposed, .. } = *self.shape;
        // (row stride, column stride)
        let (a_rs, a_cs) = if a_transposed { (1, m as isize) } else { (k as isize, 1) };
        let (b_rs, b_cs) = if b_transposed { (1, k as isize) } else { (n as isize, 1) };
        let (a, b, c) = (&self.a, &self.b, &mut self.c);
        match NAMES[index] {
            "ours" => return self.ours.compute(a_transposed, b_transposed),
            // SAFETY: the strides are those of matrices of these sizes, and c is not read.
            "gemm" => unsafe {
                let (c, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
                let (c_cs, c_rs) = (1, n as isize);
                gemm::gemm(
                    m,
                    n,
                    k,
                    c,
                    c_cs,
                    c_rs,
                    false,
                    a,
                    a_cs,
                    a_rs,
                    b,
                    b_cs,
                    b_rs,
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    gemm::Parallelism::None,
                );
            },
            // SAFETY: the strides are those of matrices of these sizes.
            "matrixmultiply" => unsafe {
                let (c, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
                let c_rs = n as isize;
                matrixmultiply::sgemm(m, k, n, 1.0, a, a_rs, a_cs, b, b_rs, b_cs, 0.0, c, c_rs, 1);
            },
            "faer" => {
                let stored = |data, rows, cols, transposed| match transposed {
                    false => MatRef::from_row_major_slice(data, rows, cols),
                    true => MatRef::from_row_major_slice(data, cols, rows).transpose(),
                };
                let a: MatRef<'_, f32> = stored(a, m, k, a_transposed);
                let b: MatRef<'_, f32> = stored(b, k, n, b_transposed);
                let c = MatMut::from_row_major_slice_mut(c, m, n);
                matmul(c, Accum::Replace, a, b, 1.0, Par::Seq);
            }
            name => unreachable!("{name}"),
        }
        &self.c
    }
}
