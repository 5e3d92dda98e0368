//! Tasks on all cores.
//!
//! A [`Pool`] keeps its threads between two calls, because a training step is
//! over in less time than it takes to start one. Tasks are dealt to threads by
//! number, so a task's data stays in the cache of the core that had it last
//! time. Which thread runs a task never changes a result.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How often a thread looks for work before it gives its core away, some
/// microseconds; and how often it does that before it sleeps.
const SPINS: usize = 2_000;
const YIELDS: usize = 200;

/// The number of threads that the machine runs at once.
pub(crate) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Some threads that wait for tasks; they end when it is dropped.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// What the threads of a pool share.
struct Shared {
    threads: usize,
    /// The number of the job in hand; a new number is a new job.
    generation: AtomicUsize,
    /// Workers that have not finished the job in hand.
    busy: AtomicUsize,
    stop: AtomicBool,
    job: Mutex<Option<Job>>,
    /// The first panic of a task.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Workers that sleep until the next job.
    sleepers: Mutex<usize>,
    wake: Condvar,
}

/// A job: how many tasks, and what runs one.
#[derive(Clone, Copy)]
struct Job {
    tasks: usize,
    run: *const (dyn Fn(usize) + Sync),
}

// SAFETY: the function behind the pointer is `Sync`, and `Pool::run` keeps it
// alive until every thread has finished with it.
unsafe impl Send for Job {}

impl Pool {
    /// A pool of `threads` threads, of which the caller's is one; at least one.
    pub(crate) fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        let shared = Arc::new(Shared {
            threads,
            generation: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            job: Mutex::new(None),
            panic: Mutex::new(None),
            sleepers: Mutex::new(0),
            wake: Condvar::new(),
        });
        let worker = |number| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().spawn(move || shared.work(number))
        };
        // Where the system gives no more threads, those that are there do it.
        let workers: Vec<_> = (1..threads).map_while(|number| worker(number).ok()).collect();
        Self { shared, workers }
    }

    /// Threads, the caller's included.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `run(index, item)` for each item, and returns when all are done.
    ///
    /// # Panics
    /// With the panic of a task, when all others have ended.
    pub(crate) fn run_each<T: Send>(
        &mut self,
        items: &mut [T],
        run: impl Fn(usize, &mut T) + Sync,
    ) {
        let start = Items(items.as_mut_ptr());
        self.run(items.len(), |index| {
            // SAFETY: `index` is below the number of items, which stay borrowed
            // until `run` returns, and no other task has the same index.
            let item = unsafe { &mut *start.at(index) };
            run(index, item);
        });
    }

    /// Runs `run(one, other)` for each pair, and returns when all are done.
    ///
    /// # Panics
    /// If there are not as many of both; or with the panic of a task, when all
    /// others have ended.
    pub(crate) fn run_pairs<T: Send, U: Send>(
        &mut self,
        ones: &mut [T],
        others: &mut [U],
        run: impl Fn(&mut T, &mut U) + Sync,
    ) {
        assert_eq!(ones.len(), others.len(), "pairs");
        let others = Items(others.as_mut_ptr());
        self.run_each(ones, |index, one| {
            // SAFETY: as above; there are as many others as ones.
            let other = unsafe { &mut *others.at(index) };
            run(one, other);
        });
    }

    /// Runs `run(task)` for each task in `0..tasks`, and returns when all are done.
    ///
    /// # Panics
    /// With the panic of a task, when all others have ended.
    fn run(&mut self, tasks: usize, run: impl Fn(usize) + Sync) {
        if self.workers.is_empty() || tasks <= 1 {
            (0..tasks).for_each(run);
            return;
        }
        let shared = &*self.shared;
        let run: &(dyn Fn(usize) + Sync) = &run;
        // SAFETY: only the lifetime changes. Below, this function waits until no
        // thread uses the job any more, also when a task panics.
        let run: *const (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(run) };
        let job = Job { tasks, run };
        *lock(&shared.job) = Some(job);
        shared.busy.store(self.workers.len(), Ordering::Release);
        shared.generation.fetch_add(1, Ordering::SeqCst);
        if *lock(&shared.sleepers) > 0 {
            shared.wake.notify_all();
        }
        shared.run_share(job, 0, self.threads());
        let mut waits = 0;
        while shared.busy.load(Ordering::Acquire) > 0 {
            pause(&mut waits);
        }
        if let Some(panic) = lock(&shared.panic).take() {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        drop(lock(&self.shared.sleepers));
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its tasks, so it ends in peace.
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// A worker's life: a job, then the next.
    fn work(&self, number: usize) {
        let mut seen = 0;
        loop {
            self.wait_for_job(seen);
            seen = seen.wrapping_add(1);
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let job = *lock(&self.job);
            if let Some(job) = job {
                self.run_share(job, number, self.threads);
            }
            self.busy.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits until the generation is another one than `seen`.
    fn wait_for_job(&self, seen: usize) {
        let mut waits = 0;
        while self.generation.load(Ordering::Acquire) == seen {
            if waits < SPINS + YIELDS {
                pause(&mut waits);
                continue;
            }
            let mut sleepers = lock(&self.sleepers);
            *sleepers += 1;
            // A job that came before the lock is seen here, one that comes
            // after it finds the sleeper counted.
            while self.generation.load(Ordering::SeqCst) == seen {
                sleepers = self.wake.wait(sleepers).unwrap_or_else(PoisonError::into_inner);
            }
            *sleepers -= 1;
        }
    }

    /// Runs the tasks that fall to thread `number` of `threads`.
    fn run_share(&self, job: Job, number: usize, threads: usize) {
        // SAFETY: `Pool::run` keeps the function alive until this is over.
        let run = unsafe { &*job.run };
        let share = job.tasks * number / threads..job.tasks * (number + 1) / threads;
        let result = catch_unwind(AssertUnwindSafe(|| share.for_each(run)));
        if let Err(panic) = result {
            lock(&self.panic).get_or_insert(panic);
        }
    }
}

/// The start of a slice of which each task gets another item.
struct Items<T>(*mut T);

// SAFETY: each thread gets items of its own, which `T: Send` allows.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

fn pause(waits: &mut usize) {
    *waits += 1;
    if *waits < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds a lock here can leave its value half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_on_any_number_of_threads() {
        for threads in 1..6 {
            let mut pool = Pool::new(threads);
            for tasks in [0, 1, 2, 3, 7, 64] {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                pool.run(tasks, |task| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn every_item_is_given_once() {
        let mut pool = Pool::new(3);
        let mut items: Vec<usize> = (0..50).collect();
        pool.run_each(&mut items, |index, item| *item = 2 * *item + index);
        assert!(items.iter().enumerate().all(|(index, &item)| item == 3 * index));
        let mut others = vec![1; 50];
        pool.run_pairs(&mut items, &mut others, |item, other| *other += *item);
        assert!(others.iter().enumerate().all(|(index, &other)| other == 1 + 3 * index));
    }

    #[test]
    fn many_jobs_follow_each_other() {
        let mut pool = Pool::new(3);
        let sum = AtomicUsize::new(0);
        for job in 0..2_000 {
            pool.run(3, |task| {
                sum.fetch_add(job * 3 + task, Ordering::Relaxed);
            });
            if job % 500 == 0 {
                // Long enough for the workers to fall asleep.
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        assert_eq!(sum.load(Ordering::Relaxed), (0..6_000).sum());
    }

    #[test]
    fn a_panic_of_a_task_comes_out_and_the_pool_lives_on() {
        let mut pool = Pool::new(3);
        for bad in 0..3 {
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.run(3, |task| assert_ne!(task, bad, "the bad task"));
            }));
            let panic = result.expect_err("the panic of the task");
            let text = panic.downcast_ref::<String>().expect("a message");
            assert!(text.contains("the bad task"), "{text}");
        }
        let count = AtomicUsize::new(0);
        pool.run(3, |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }
}
