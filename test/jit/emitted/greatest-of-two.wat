;; cmp 0,0,3,4
;; bc 12,1,8
;; or 3,4,4
;; bclr 20,0,0
  (func (;1;) (type 0) (param i32 i32 i32) (result i32 i32)
    (local i32 i32 i32 i32 i32 i32 i32)
    (if  ;; label = @1
      (i32.lt_s
        (local.tee 1
          (i32.sub
            (local.get 1)
            (i32.const 368)))
        (i32.const 0))
      (then
        (return
          (local.get 2)
          (local.get 0))))
    (block  ;; label = @1
      (block  ;; label = @2
        (br_if 0 (;@2;)
          (i32.eq
            (local.get 2)
            (i32.const 268435456)))
        (return
          (local.get 2)
          (local.get 0)))
      (if  ;; label = @2
        (i32.lt_s
          (local.get 0)
          (i32.const 4))
        (then
          (return
            (i32.const 268435456)
            (local.get 0))))
      (br 0 (;@1;)))
    (block  ;; label = @1
      (local.set 0
        (i32.sub
          (local.get 0)
          (i32.const 2)))
      (local.set 4
        (i32.load offset=24 align=1
          (i32.const 0)))
      (local.get 4)
      (local.set 5
        (i32.load offset=32 align=1
          (i32.const 0)))
      (local.set 7
        (local.get 5))
      (local.set 6)
      (if  ;; label = @2
        (i32.gt_s
          (local.get 6)
          (local.get 7))
        (then
          (br 1 (;@1;))))
      (block (result i32 i32)  ;; label = @2
        (local.set 0
          (i32.sub
            (local.get 0)
            (i32.const 1)))
        (local.set 4
          (local.get 5))
        (br 1 (;@1;))
        (unreachable))
      (i32.store8 offset=288
        (i32.const 0)
        (call 2
          (local.get 6)
          (local.get 7)))
      (return))
    (block (result i32 i32)  ;; label = @1
      (local.set 0
        (i32.sub
          (local.get 0)
          (i32.const 1)))
      (local.set 8
        (i32.load offset=272 align=1
          (i32.const 0)))
      (local.set 9
        (i32.and
          (local.get 8)
          (i32.const -4)))
      (i32.store offset=24 align=1
        (i32.const 0)
        (local.get 4))
      (i32.store8 offset=288
        (i32.const 0)
        (i32.or
          (select
            (i32.const 8)
            (select
              (i32.const 4)
              (i32.const 2)
              (i32.gt_s
                (local.get 6)
                (local.get 7)))
            (i32.lt_s
              (local.get 6)
              (local.get 7)))
          (i32.load8_u offset=296
            (i32.const 0))))
      (return
        (local.get 9)
        (local.get 0))
      (unreachable))
    (i32.store offset=24 align=1
      (i32.const 0)
      (local.get 4))
    (i32.store8 offset=288
      (i32.const 0)
      (call 2
        (local.get 6)
        (local.get 7)))
    (return)
    (unreachable)
    (unreachable)
    (unreachable))
