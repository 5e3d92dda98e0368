//! The matrix against three-line triple loops.

use digit_recognizer::Matrix;
use proptest::prelude::*;

/// C = A·B, as the definition says it.
fn naive_product(a: &Matrix, b: &Matrix) -> Matrix {
    Matrix::from_fn(a.rows(), b.cols(), |i, j| {
        (0..a.cols()).map(|k| a.row(i)[k] * b.row(k)[j]).sum()
    })
}

/// Sizes that are empty, or around the edges of the product's tiles (4 and 8)
/// and blocks (128, 256), one of which a product crosses.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![0..=18usize, 31..=33usize, 127..=129usize, 255..=257usize]
}

/// Whole numbers, whose products and sums are exact in f32: so the order of a
/// sum means nothing, and the results must be equal to the last bit.
fn matrix(rows: usize, cols: usize) -> impl Strategy<Value = Matrix> {
    any::<u64>().prop_map(move |seed| {
        let mut state = seed | 1;
        Matrix::from_fn(rows, cols, |_, _| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 17) as f32 - 8.0
        })
    })
}

fn pair() -> impl Strategy<Value = (Matrix, Matrix)> {
    (size(), size(), size()).prop_flat_map(|(m, k, n)| (matrix(m, k), matrix(k, n)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn product_is_the_triple_loops((a, b) in pair()) {
        let mut product = Matrix::default();
        a.multiply_into(&b, &mut product);
        prop_assert_eq!(product, naive_product(&a, &b));
    }

    #[test]
    fn product_with_a_transposed_is_the_triple_loops((a, b) in pair()) {
        let mut product = Matrix::default();
        a.transposed().transpose_multiply_into(&b, &mut product);
        prop_assert_eq!(&product, &naive_product(&a, &b));
        a.transposed().transpose_multiply_add(&b, &mut product);
        let twice = naive_product(&a, &b).as_slice().iter().map(|c| 2.0 * c).collect::<Vec<_>>();
        prop_assert_eq!(product.as_slice(), twice);
    }

    #[test]
    fn product_with_b_transposed_is_the_triple_loops((a, b) in pair()) {
        let mut product = Matrix::default();
        a.multiply_transpose_into(&b.transposed(), &mut product);
        prop_assert_eq!(product, naive_product(&a, &b));
    }

    #[test]
    fn rows_are_added_and_summed((a, row) in pair()) {
        let row: Vec<f32> = (0..a.cols()).map(|j| row.as_slice().get(j).copied().unwrap_or(j as f32)).collect();
        let mut sum = a.clone();
        sum.add_row(&row);
        prop_assert_eq!(&sum, &Matrix::from_fn(a.rows(), a.cols(), |i, j| a.row(i)[j] + row[j]));

        let column = |j: usize| (0..a.rows()).map(|i| a.row(i)[j]).sum::<f32>();
        let mut sums = vec![7.0; a.cols()];
        a.sum_rows_into(&mut sums);
        prop_assert_eq!(&sums, &(0..a.cols()).map(column).collect::<Vec<_>>());
        a.sum_rows_add(&mut sums);
        prop_assert_eq!(&sums, &(0..a.cols()).map(|j| 2.0 * column(j)).collect::<Vec<_>>());
    }
}

#[test]
fn every_size_around_the_tile_is_the_triple_loops() {
    let numbers = |rows, cols, step| {
        Matrix::from_fn(rows, cols, |i, j| ((i * 7 + j * 5 + step) % 11) as f32 - 5.0)
    };
    let mut product = Matrix::default();
    for m in 0..10 {
        for n in 0..18 {
            for k in [0, 1, 2, 9] {
                let (a, b) = (numbers(m, k, 1), numbers(k, n, 2));
                a.multiply_into(&b, &mut product);
                assert_eq!(product, naive_product(&a, &b), "{m} x {k} x {n}");
            }
        }
    }
}

#[test]
fn a_product_past_every_block_is_the_triple_loops() {
    // One more than the block of B has columns, and than a block's summed index.
    let a = Matrix::from_fn(5, 520, |i, j| ((i + 3 * j) % 7) as f32 - 3.0);
    let b = Matrix::from_fn(520, 1030, |i, j| ((5 * i + j) % 9) as f32 - 4.0);
    let mut product = Matrix::default();
    a.multiply_into(&b, &mut product);
    assert_eq!(product, naive_product(&a, &b));
}

#[test]
fn results_are_close_where_sums_round() {
    let a = Matrix::from_fn(33, 300, |i, j| ((i * 31 + j * 17) as f32).sin());
    let b = Matrix::from_fn(300, 21, |i, j| ((i * 13 + j * 29) as f32).cos());
    let mut product = Matrix::default();
    a.multiply_into(&b, &mut product);
    for i in 0..33 {
        for j in 0..21 {
            let exact: f64 =
                (0..300).map(|k| f64::from(a.row(i)[k]) * f64::from(b.row(k)[j])).sum();
            assert!((f64::from(product.row(i)[j]) - exact).abs() < 1e-4, "({i}, {j})");
        }
    }
}

#[test]
fn buffers_are_used_again() {
    let mut matrix = Matrix::zeros(64, 64);
    let memory = matrix.as_slice().as_ptr();
    matrix.resize(3, 5);
    assert_eq!((matrix.rows(), matrix.cols(), matrix.as_slice().len()), (3, 5, 15));
    matrix.resize(64, 64);
    assert_eq!(matrix.as_slice().as_ptr(), memory);
}

#[test]
#[should_panic(expected = "columns of A against rows of B")]
fn shapes_that_do_not_fit_panic() {
    Matrix::zeros(2, 3).multiply_into(&Matrix::zeros(4, 2), &mut Matrix::default());
}

#[test]
#[should_panic(expected = "elements of a 2 x 3 matrix")]
fn a_wrong_number_of_elements_panics() {
    let _ = Matrix::from_vec(2, 3, vec![0.0; 5]);
}
