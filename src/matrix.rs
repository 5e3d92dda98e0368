//! A row-major matrix of `f32` and the operations that training needs.
//!
//! Each operation writes into a matrix that the caller keeps, so that a
//! training step allocates nothing that the step before did not leave. For a
//! layer with inputs X, weights W and the gradient G of its logits, training
//! needs three products:
//!
//! | product | here | use |
//! |---|---|---|
//! | X·W | [`Matrix::multiply_into`] | forward |
//! | Xᵀ·G | [`Matrix::transpose_multiply_into`] | gradient of the weights |
//! | G·Wᵀ | [`Matrix::multiply_transpose_into`] | gradient of the inputs |

use crate::kernel::gemm::{View, gemm};
use crate::kernel::level::Level;

/// A matrix of `f32`, stored row after row.
///
/// ```
/// use digit_recognizer::Matrix;
///
/// let a = Matrix::from_vec(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let b = Matrix::from_vec(3, 1, vec![1.0, 0.0, -1.0]);
/// let mut product = Matrix::zeros(2, 1);
/// a.multiply_into(&b, &mut product);
/// assert_eq!(product.as_slice(), [-2.0, -2.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f32>,
}

impl Matrix {
    /// A matrix of zeros.
    ///
    /// # Panics
    /// If `rows` × `cols` overflows.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![0.0; element_count(rows, cols)] }
    }

    /// A matrix from its elements, row after row.
    ///
    /// # Panics
    /// If `data` has not `rows` × `cols` elements.
    pub fn from_vec(rows: usize, cols: usize, data: Vec<f32>) -> Self {
        assert_eq!(data.len(), element_count(rows, cols), "elements of a {rows} x {cols} matrix");
        Self { rows, cols, data }
    }

    /// A matrix whose element (i, j) is `element(i, j)`.
    ///
    /// # Panics
    /// If `rows` × `cols` overflows.
    pub fn from_fn(rows: usize, cols: usize, mut element: impl FnMut(usize, usize) -> f32) -> Self {
        let mut data = Vec::with_capacity(element_count(rows, cols));
        for i in 0..rows {
            data.extend((0..cols).map(|j| element(i, j)));
        }
        Self { rows, cols, data }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All elements, row after row.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// All elements, row after row.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If `i >= self.rows()`.
    pub fn row(&self, i: usize) -> &[f32] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        &self.data[i * self.cols..][..self.cols]
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If `i >= self.rows()`.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        &mut self.data[i * self.cols..][..self.cols]
    }

    /// The rows, from the first to the last.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.rows).map(|i| self.row(i))
    }

    /// Gives the matrix another shape and uses its memory again. The elements
    /// are unspecified afterwards.
    ///
    /// # Panics
    /// If `rows` × `cols` overflows.
    pub fn resize(&mut self, rows: usize, cols: usize) {
        self.data.resize(element_count(rows, cols), 0.0);
        self.rows = rows;
        self.cols = cols;
    }

    /// Sets every element to `value`.
    pub fn fill(&mut self, value: f32) {
        self.data.fill(value);
    }

    /// The transposed matrix, (cols, rows).
    pub fn transposed(&self) -> Self {
        Self::from_fn(self.cols, self.rows, |i, j| self.data[j * self.cols + i])
    }

    /// `product` = A·B, where A is this matrix.
    ///
    /// # Shapes
    /// - this matrix: (m, k)
    /// - `b`: (k, n)
    /// - `product`: becomes (m, n)
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn multiply_into(&self, b: &Self, product: &mut Self) {
        product.set_product(self.view(), b.view());
    }

    /// `product` = Aᵀ·B, where A is this matrix.
    ///
    /// # Shapes
    /// - this matrix: (k, m)
    /// - `b`: (k, n)
    /// - `product`: becomes (m, n)
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn transpose_multiply_into(&self, b: &Self, product: &mut Self) {
        product.set_product(self.view().transposed(), b.view());
    }

    /// `sum` += Aᵀ·B, where A is this matrix.
    ///
    /// # Shapes
    /// - this matrix: (k, m)
    /// - `b`: (k, n)
    /// - `sum`: (m, n)
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn transpose_multiply_add(&self, b: &Self, sum: &mut Self) {
        assert_eq!((sum.rows, sum.cols), (self.cols, b.cols), "shape of the sum");
        gemm(Level::best(), self.view().transposed(), b.view(), &mut sum.data);
    }

    /// `product` = A·Bᵀ, where A is this matrix.
    ///
    /// # Shapes
    /// - this matrix: (m, k)
    /// - `b`: (n, k)
    /// - `product`: becomes (m, n)
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn multiply_transpose_into(&self, b: &Self, product: &mut Self) {
        product.set_product(self.view(), b.view().transposed());
    }

    /// Adds the row vector `row` to each row.
    ///
    /// # Panics
    /// If `row` has not as many elements as this matrix has columns.
    pub fn add_row(&mut self, row: &[f32]) {
        assert_eq!(row.len(), self.cols, "elements of the row");
        // Also where there is no column, and so no chunk.
        for elements in self.data.chunks_exact_mut(self.cols.max(1)) {
            for (element, term) in elements.iter_mut().zip(row) {
                *element += term;
            }
        }
    }

    /// Writes the sum of the rows into `sums`: each column's sum, from the
    /// first row to the last.
    ///
    /// # Panics
    /// If `sums` has not as many elements as this matrix has columns.
    pub fn sum_rows_into(&self, sums: &mut [f32]) {
        sums.fill(0.0);
        self.sum_rows_add(sums);
    }

    /// Adds each row to `sums`, from the first row to the last.
    ///
    /// # Panics
    /// If `sums` has not as many elements as this matrix has columns.
    pub fn sum_rows_add(&self, sums: &mut [f32]) {
        assert_eq!(sums.len(), self.cols, "elements of the sums");
        for elements in self.data.chunks_exact(self.cols.max(1)) {
            for (sum, element) in sums.iter_mut().zip(elements) {
                *sum += element;
            }
        }
    }

    fn view(&self) -> View<'_> {
        View {
            data: &self.data,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.cols,
            col_stride: 1,
        }
    }

    fn set_product(&mut self, a: View<'_>, b: View<'_>) {
        self.resize(a.rows, b.cols);
        self.fill(0.0);
        gemm(Level::best(), a, b, &mut self.data);
    }
}

fn element_count(rows: usize, cols: usize) -> usize {
    rows.checked_mul(cols).expect("rows x columns within usize")
}
