;; Skips an object or an array that no rule asks for: the same answers as skipComposite in skip.ts, four times as fast.
;;
;; Sixteen bytes at a time: which of them are quotes gives, by xor over all bits to the left, which of them stand in strings; the
;; brackets among the others are counted. Only a block in which the value may end, a string is at fault or a backslash stands is
;; gone through byte by byte. `npm run assemble` makes skip-module.ts of this file; a test holds them equal.
(module
  (import "event" "memory" (memory 1))

  ;; How far it is, handed from blocks to bytes and back: open brackets, open braces among them, whether in a string.
  (global $depth (mut i32) (i32.const 0))
  (global $braces (mut i32) (i32.const 0))
  (global $inString (mut i32) (i32.const 0))
  ;; What skip answers, once $bytes has found the end or a fault.
  (global $end (mut i32) (i32.const 0))

  ;; Goes through the bytes from $at to before $to. Gives where it stopped, one further if an escape stands across, or -1 when $end says all.
  (func $bytes (param $at i32) (param $to i32) (result i32)
    (local $byte i32)
    (local $bracket i32)
    (loop $next
      (if (i32.ge_s (local.get $at) (local.get $to)) (then (return (local.get $at))))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (global.get $inString)
        (then
          (if (i32.eq (local.get $byte) (i32.const 0x22))
            (then (global.set $inString (i32.const 0)))
            (else
              (if (i32.eq (local.get $byte) (i32.const 0x5c))
                (then
                  (local.set $at (i32.add (local.get $at) (i32.const 1)))
                  (local.set $byte (i32.load8_u (local.get $at)))))
              (if (i32.lt_u (local.get $byte) (i32.const 0x20))
                (then
                  (global.set $end (i32.xor (local.get $at) (i32.const -1)))
                  (return (i32.const -1)))))))
        (else
          (local.set $bracket (i32.or (local.get $byte) (i32.const 0x20)))
          (if (i32.eq (local.get $byte) (i32.const 0x22))
            (then (global.set $inString (i32.const 1))))
          (if (i32.eq (local.get $bracket) (i32.const 0x7b))
            (then
              (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
              (global.set $braces (i32.add (global.get $braces) (i32.eq (local.get $byte) (i32.const 0x7b))))))
          (if (i32.eq (local.get $bracket) (i32.const 0x7d))
            (then
              (global.set $depth (i32.sub (global.get $depth) (i32.const 1)))
              (global.set $braces (i32.sub (global.get $braces) (i32.eq (local.get $byte) (i32.const 0x7d))))
              (if (i32.eqz (global.get $depth))
                (then
                  (global.set $end
                    (select
                      (i32.xor (local.get $at) (i32.const -1))
                      (i32.add (local.get $at) (i32.const 1))
                      (global.get $braces)))
                  (return (i32.const -1))))))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; $at is the place of the opening bracket, $end that of the zero behind the event. Gives the place behind the value, or
  ;; -1 - the place of what cannot stand there.
  (func (export "skip") (param $at i32) (param $end i32) (result i32)
    (local $v v128) (local $lower v128)
    (local $to i32) (local $s i32) (local $opens i32) (local $closes i32) (local $depth i32) (local $braces i32) (local $inString i32)
    (local.set $depth (i32.const 1))
    (local.set $braces (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x7b)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (loop $block
      (block $slow
        (br_if $slow (i32.gt_s (i32.add (local.get $at) (i32.const 16)) (local.get $end)))
        (local.set $v (v128.load (local.get $at)))
        (br_if $slow (v128.any_true (i8x16.eq (local.get $v) (v128.const i64x2 0x5c5c5c5c5c5c5c5c 0x5c5c5c5c5c5c5c5c))))
        ;; $s: the bytes in strings, an opening quote included, a closing one not
        (local.set $s (i8x16.bitmask (i8x16.eq (local.get $v) (v128.const i64x2 0x2222222222222222 0x2222222222222222))))
        (local.set $s (i32.xor (local.get $s) (i32.shl (local.get $s) (i32.const 1))))
        (local.set $s (i32.xor (local.get $s) (i32.shl (local.get $s) (i32.const 2))))
        (local.set $s (i32.xor (local.get $s) (i32.shl (local.get $s) (i32.const 4))))
        (local.set $s (i32.xor (local.get $s) (i32.shl (local.get $s) (i32.const 8))))
        (local.set $s (i32.xor (local.get $s) (i32.sub (i32.const 0) (local.get $inString))))
        ;; a control character in a string
        (br_if $slow (i32.and
            (i32.and (local.get $s) (i32.const 0xffff))
            (i8x16.bitmask (i8x16.lt_u (local.get $v) (v128.const i64x2 0x2020202020202020 0x2020202020202020)))))
        ;; with 0x20 set, [ is like { and ] like }, and nothing else is
        (local.set $lower (v128.or (local.get $v) (v128.const i64x2 0x2020202020202020 0x2020202020202020)))
        (local.set $closes (i32.popcnt (i32.and (i32.xor (local.get $s) (i32.const -1))
          (i8x16.bitmask (i8x16.eq (local.get $lower) (v128.const i64x2 0x7d7d7d7d7d7d7d7d 0x7d7d7d7d7d7d7d7d))))))
        (br_if $slow (i32.ge_s (local.get $closes) (local.get $depth)))
        (local.set $opens (i32.popcnt (i32.and (i32.xor (local.get $s) (i32.const -1))
          (i8x16.bitmask (i8x16.eq (local.get $lower) (v128.const i64x2 0x7b7b7b7b7b7b7b7b 0x7b7b7b7b7b7b7b7b))))))
        (local.set $depth (i32.add (local.get $depth) (i32.sub (local.get $opens) (local.get $closes))))
        (local.set $braces (i32.add (local.get $braces) (i32.sub
          (i32.popcnt (i32.and (i32.xor (local.get $s) (i32.const -1))
            (i8x16.bitmask (i8x16.eq (local.get $v) (v128.const i64x2 0x7b7b7b7b7b7b7b7b 0x7b7b7b7b7b7b7b7b)))))
          (i32.popcnt (i32.and (i32.xor (local.get $s) (i32.const -1))
            (i8x16.bitmask (i8x16.eq (local.get $v) (v128.const i64x2 0x7d7d7d7d7d7d7d7d 0x7d7d7d7d7d7d7d7d))))))))
        (local.set $inString (i32.and (i32.shr_u (local.get $s) (i32.const 15)) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $block))
      (global.set $depth (local.get $depth))
      (global.set $braces (local.get $braces))
      (global.set $inString (local.get $inString))
      (local.set $to (i32.add (local.get $at) (i32.const 16)))
      (if (i32.gt_s (local.get $to) (local.get $end)) (then (local.set $to (local.get $end))))
      (local.set $at (call $bytes (local.get $at) (local.get $to)))
      (if (i32.lt_s (local.get $at) (i32.const 0)) (then (return (global.get $end))))
      (if (i32.ge_s (local.get $at) (local.get $end)) (then (return (i32.xor (local.get $end) (i32.const -1)))))
      (local.set $depth (global.get $depth))
      (local.set $braces (global.get $braces))
      (local.set $inString (global.get $inString))
      (br $block))
    (unreachable)))
