//! Counting right and wrong answers.

/// How often each class was taken for each other.
///
/// ```
/// use digit_recognizer::ConfusionMatrix;
///
/// let mut confusion = ConfusionMatrix::new(10);
/// confusion.record(7, 7);
/// confusion.record(7, 1);
/// assert_eq!((confusion.correct(), confusion.total()), (1, 2));
/// assert_eq!(confusion.accuracy(), 0.5);
/// assert_eq!(confusion.count(7, 1), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row after row; a row for each label, a column for each answer.
    counts: Vec<usize>,
}

impl ConfusionMatrix {
    /// An empty matrix.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one answer.
    ///
    /// # Panics
    /// If `label` or `answer` is not below the number of classes.
    pub fn record(&mut self, label: usize, answer: usize) {
        assert!(label < self.classes && answer < self.classes, "a class below {}", self.classes);
        self.counts[label * self.classes + answer] += 1;
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often `answer` was given where `label` is right.
    ///
    /// # Panics
    /// If `label` or `answer` is not below the number of classes.
    pub fn count(&self, label: usize, answer: usize) -> usize {
        assert!(label < self.classes && answer < self.classes, "a class below {}", self.classes);
        self.counts[label * self.classes + answer]
    }

    /// How many samples have this label.
    ///
    /// # Panics
    /// If `label` is not below the number of classes.
    pub fn label_total(&self, label: usize) -> usize {
        (0..self.classes).map(|answer| self.count(label, answer)).sum()
    }

    /// How many answers were right.
    pub fn correct(&self) -> usize {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// How many answers there were.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The share of right answers, 0 to 1; 0 if there was none.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.total().max(1) as f64
    }
}
