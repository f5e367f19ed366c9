//! The processor's wide and fused instructions, where it has them.
//!
//! A build for every x86-64 processor has neither AVX2 nor a fused multiply-add; nearly every machine does. A function
//! declared with [`wide!`] is compiled twice, and which one runs is asked of the processor. Both give the same bits:
//! IEEE 754 fixes the result of a fused multiply-add, in hardware or not, and the compiler never reorders floats.

/// Declares a function whose body is also compiled for AVX2 and FMA.
macro_rules! wide {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident $(<const $flag:ident: bool>)? ($($arg:ident: $type:ty),+ $(,)?) $(-> $out:ty)? $body:block)+) => {$(
        $(#[$meta])*
        $vis fn $name $(<const $flag: bool>)? ($($arg: $type),+) $(-> $out)? {
            #[inline(always)]
            fn body $(<const $flag: bool>)? ($($arg: $type),+) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            if $crate::wide::available() {
                #[target_feature(enable = "avx2,fma")]
                fn wide $(<const $flag: bool>)? ($($arg: $type),+) $(-> $out)? {
                    body $(::<$flag>)? ($($arg),+)
                }
                #[expect(unsafe_code, reason = "a call into instructions that not every processor has")]
                // SAFETY: the processor has just been asked for both features.
                return unsafe { wide $(::<$flag>)? ($($arg),+) };
            }
            body $(::<$flag>)? ($($arg),+)
        }
    )+};
}
pub(crate) use wide;

/// Whether this processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

/// What the processor was found to have, for many small functions that would each have to ask.
#[derive(Clone, Copy)]
pub(crate) struct Width(bool);

impl Width {
    #[inline]
    pub(crate) fn of_processor() -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self(available());
        #[cfg(not(target_arch = "x86_64"))]
        Self(false)
    }
    /// Whether it has AVX2 and FMA.
    #[inline(always)]
    pub(crate) fn is_wide(self) -> bool {
        self.0
    }
}
