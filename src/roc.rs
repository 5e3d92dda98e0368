//! How well a score tells two groups apart.

/// The area under the receiver operating characteristic (ROC) curve: how often
/// a positive has the higher score of a random pair, a tie counting half. 1 is a
/// score that tells all apart, 0.5 one that knows nothing.
///
/// With the confidences of digits as positives and those of scribbles as
/// negatives, it says how well a threshold would turn scribbles away.
///
/// ```
/// use digit_recognizer::area_under_roc;
///
/// assert_eq!(area_under_roc(&[0.99, 0.7], &[0.4, 0.8]), 0.75);
/// ```
///
/// # Panics
/// If one of the groups is empty, or a score is NaN.
///
/// # Source
/// Hanley, McNeil, *The meaning and use of the area under a receiver operating
/// characteristic (ROC) curve* (Radiology 1982): it is the statistic of Mann and
/// Whitney.
pub fn area_under_roc(positives: &[f32], negatives: &[f32]) -> f64 {
    assert!(!positives.is_empty() && !negatives.is_empty(), "a score in each group");
    let mut scores = positives.iter().chain(negatives);
    assert!(!scores.any(|score| score.is_nan()), "scores that are numbers");
    let mut sorted = negatives.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    // Twice the pairs won: a tie counts one.
    let wins = positives.iter().map(|positive| {
        let below = sorted.partition_point(|negative| negative < positive);
        let up_to = sorted.partition_point(|negative| negative <= positive);
        (below + up_to) as u64
    });
    wins.sum::<u64>() as f64 / (2.0 * positives.len() as f64 * negatives.len() as f64)
}
