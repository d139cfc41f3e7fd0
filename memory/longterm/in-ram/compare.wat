;; What vectors in RAM are compared with (compare.ts holds it assembled). Addresses are bytes of the imported memory.
(module
  (import "env" "memory" (memory 1))

  ;; How many bits each of `count` rows of `width` bytes (a multiple of 16) differs from the question in: a u16 each at `out`,
  ;; and at `histogram` (u32 each, zeroed by the caller) how many rows differ in so many.
  (func (export "differing") (param $rows i32) (param $count i32) (param $width i32) (param $question i32) (param $out i32) (param $histogram i32)
    (local $end i32) (local $q i32) (local $row_end i32) (local $bits i32) (local $slot i32)
    (local.set $end (i32.add (local.get $rows) (i32.mul (local.get $count) (local.get $width))))
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $rows) (local.get $end)))
        (local.set $q (local.get $question))
        (local.set $row_end (i32.add (local.get $rows) (local.get $width)))
        (local.set $bits (i32.const 0))
        (loop $words
          (local.set $bits (i32.add (local.get $bits) (i32.wrap_i64 (i64.add
            (i64.popcnt (i64.xor (i64.load (local.get $rows)) (i64.load (local.get $q))))
            (i64.popcnt (i64.xor (i64.load offset=8 (local.get $rows)) (i64.load offset=8 (local.get $q))))))))
          (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
          (local.set $q (i32.add (local.get $q) (i32.const 16)))
          (br_if $words (i32.lt_u (local.get $rows) (local.get $row_end))))
        (i32.store16 (local.get $out) (local.get $bits))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (local.set $slot (i32.add (local.get $histogram) (i32.shl (local.get $bits) (i32.const 2))))
        (i32.store (local.get $slot) (i32.add (i32.load (local.get $slot)) (i32.const 1)))
        (br $each))))

  ;; The product of each of `count` rows of `width` signed bytes (a multiple of 16) with the question: an i32 each at `out`.
  (func (export "products") (param $rows i32) (param $count i32) (param $width i32) (param $question i32) (param $out i32)
    (local $end i32) (local $q i32) (local $row_end i32) (local $sum v128) (local $a v128) (local $b v128)
    (local.set $end (i32.add (local.get $rows) (i32.mul (local.get $count) (local.get $width))))
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $rows) (local.get $end)))
        (local.set $q (local.get $question))
        (local.set $row_end (i32.add (local.get $rows) (local.get $width)))
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (loop $words
          (local.set $a (v128.load (local.get $rows)))
          (local.set $b (v128.load (local.get $q)))
          (local.set $sum (i32x4.add (local.get $sum) (i32x4.add
            (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_s (local.get $a)) (i16x8.extend_low_i8x16_s (local.get $b)))
            (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_s (local.get $a)) (i16x8.extend_high_i8x16_s (local.get $b))))))
          (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
          (local.set $q (i32.add (local.get $q) (i32.const 16)))
          (br_if $words (i32.lt_u (local.get $rows) (local.get $row_end))))
        (i32.store (local.get $out) (i32.add
          (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
          (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br $each)))))
